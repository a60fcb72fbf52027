// In the head and not a module: the chosen scheme must stand before the first paint.
document.documentElement.dataset.script = "";  // what needs scripts is shown only where they run
try {
  const chosen = localStorage.getItem("scheme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.scheme = chosen;
} catch { /* storage is closed to us: the system's scheme holds */ }
