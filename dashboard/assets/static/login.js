// A shared phone must not keep the last person's route: the log-in page empties what was kept for offline use.
if ("caches" in window) caches.keys().then((names) => names.forEach((name) => caches.delete(name)));
