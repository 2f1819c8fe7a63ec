// Busy state only: every page works without this file.
(() => {
  const BUSY_MILLISECONDS = 10000;
  const status = document.querySelector("[data-status]");
  let busy = null;
  let timer = 0;
  const stop = () => {
    clearTimeout(timer);
    if (busy) busy.removeAttribute("aria-disabled");
    busy = null;
    if (status) status.textContent = "";
  };
  const start = (control, event) => {
    if (busy) { event.preventDefault(); return; }
    busy = control;
    control.setAttribute("aria-disabled", "true");
    if (status && control.dataset.busy) status.textContent = control.dataset.busy;
    // Whoever pressed Stop on the way is still here.
    timer = setTimeout(stop, BUSY_MILLISECONDS);
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-busy]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) start(link, event);
  });
  document.addEventListener("submit", (event) => start(event.submitter || event.target, event));
  // Back again, from the cache: the page is usable once more.
  addEventListener("pageshow", stop);
  const problem = document.querySelector("[role=alert][tabindex]");
  if (problem) problem.focus();
  // An answer that an application wants as a form goes on by itself.
  const ready = document.querySelector("form[data-submit-now]");
  if (ready) ready.submit();
  // In place of the #_=_ that Facebook appends to the address it returns to (web/headers.py).
  if (location.hash === "#_") history.replaceState(null, "", location.pathname + location.search);
})();
