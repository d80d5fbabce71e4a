// Runs before the first paint, so that a page in the chosen colours never flashes in the other ones.
(() => {
  const theme = localStorage.getItem('shipmate.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
})();
