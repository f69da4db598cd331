// A classic script in the head: the remembered theme is set before the first paint, so the page never flashes.
(() => {
  const root = document.documentElement;
  const remembered = () => {
    try {
      return localStorage.getItem("weft-theme");
    } catch {
      return null; // storage can be forbidden: then the system's preference holds
    }
  };
  const theme = remembered();
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
})();
