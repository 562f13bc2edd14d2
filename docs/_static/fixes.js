// Fix accessible names that the theme omits, or that hide an element's own text.

for (const summary of document.querySelectorAll(".bd-sidebar-primary summary")) {
  const entry = summary.closest("li").querySelector("a").textContent.trim();
  summary.setAttribute("aria-label", `Pages below ${entry}`);
}
for (const summary of document.querySelectorAll("details.hide summary")) {
  summary.removeAttribute("aria-label");
}
for (const button of document.querySelectorAll(".search-button-field")) {
  button.removeAttribute("aria-label");
}
