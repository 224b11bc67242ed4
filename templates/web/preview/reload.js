// Reloads the page when the site was built anew. Served by the preview only; pages work without it.
"use strict";
(() => {
  const { version, stream } = document.currentScript.dataset;
  let source;
  const listen = () => {
    if (source || document.hidden) return;
    source = new EventSource(stream);
    source.onmessage = ({ data }) => { if (data !== version) location.reload(); };
    source.onerror = () => {
      if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
      source = undefined;
      setTimeout(listen, 1000);
    };
  };
  const leave = () => { source?.close(); source = undefined; };
  // A browser keeps six connections to one host: a page that nobody sees gives its own back.
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : listen()));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", listen);
  listen();
})();
