// Addresses of the original system carry the page behind '#', which only the browser sees: a link that
// names that part is followed at once.
export function followFragment(root) {
  const wanted = window.location.hash.replace(/^#!?\/?/, '');
  if (!wanted) return;
  root.querySelectorAll('a[data-fragment]').forEach((link) => {
    if (link.dataset.fragment === wanted) window.location.replace(link.href);
  });
}
