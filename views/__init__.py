"""HTTP: parse a request, call one verb, render its outcome."""
