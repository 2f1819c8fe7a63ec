// Busy state only: every page works without this file.
(() => {
  const status = document.querySelector("[data-status]");
  let busy = null;
  const start = (control, event) => {
    if (busy) { event.preventDefault(); return; }
    busy = control;
    control.setAttribute("aria-disabled", "true");
    if (status && control.dataset.busy) status.textContent = control.dataset.busy;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-busy]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) start(link, event);
  });
  document.addEventListener("submit", (event) => start(event.submitter || event.target, event));
  // Back again, from the cache: the page is usable once more.
  addEventListener("pageshow", () => {
    if (busy) busy.removeAttribute("aria-disabled");
    busy = null;
    if (status) status.textContent = "";
  });
  const problem = document.querySelector("[role=alert][tabindex]");
  if (problem) problem.focus();
  // Facebook appends #_=_ to the address it returns to.
  if (location.hash === "#_=_") history.replaceState(null, "", location.pathname + location.search);
})();
