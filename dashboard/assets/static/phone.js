// Keeps today's route for places without signal; only over HTTPS or on this machine do browsers allow it.
if ("serviceWorker" in navigator && window.isSecureContext) navigator.serviceWorker.register("/m/sw.js", { scope: "/m/" });
