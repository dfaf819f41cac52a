// Wide screens have room for the menu. Browsers that cannot be told so by a style have it opened here; without
// this script it is one press away.
export function unfoldMenu(root) {
  if (CSS.supports('selector(::details-content)') || !window.matchMedia('(min-width: 40.0625em)').matches) return;
  root.querySelectorAll('.senim-menu__fold').forEach((fold) => {
    fold.open = true;
  });
}
