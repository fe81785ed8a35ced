/* The theme, set before the first paint: the one script in <head> that is neither deferred nor a
   module. "light", "dark" or nothing (follow the system). A browser may forbid the store. */
"use strict";

{
  const root = document.documentElement;
  const store = (() => {
    try { return localStorage; } catch { return { getItem: () => null, setItem: () => {} }; }
  })();
  const system = matchMedia("(prefers-color-scheme: dark)");
  const applyTheme = (choice) => {
    root.dataset.bsTheme = choice || (system.matches ? "dark" : "light");
    document.dispatchEvent(new Event("themechange")); // charts look their colours up again
  };
  applyTheme(store.getItem("theme"));
  system.addEventListener("change", () => applyTheme(store.getItem("theme")));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-set-theme]")) return;
    const choice = root.dataset.bsTheme === "dark" ? "light" : "dark";
    store.setItem("theme", choice);
    applyTheme(choice);
  });
}
