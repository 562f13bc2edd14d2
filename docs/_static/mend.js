// Names for what the theme leaves without one, or gives one that hides its words.

for (const fold of document.querySelectorAll(".bd-sidebar-primary summary")) {
  const entry = fold.closest("li").querySelector("a").textContent.trim();
  fold.setAttribute("aria-label", `Pages below ${entry}`);
}
for (const search of document.querySelectorAll(".search-button-field")) {
  search.removeAttribute("aria-label");
}
