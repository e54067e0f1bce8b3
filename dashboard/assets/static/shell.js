// Before the framework starts: where it is served from, and where to go when the log-in session has ended.
(function () {
  "use strict";
  // Without this it asks for its health under the page's own path first, which does not exist.
  window.__streamlit = { BACKEND_BASE_URL: window.location.origin };
  const REVOKED = 1008;
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...args) {
      super(...args);
      this.addEventListener("close", (event) => {
        if (event.code !== REVOKED) return;
        window.location.assign("/login?next=" + encodeURIComponent(window.location.pathname));
      });
    }
  };
})();
