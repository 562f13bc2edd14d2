// Play an animated diagram when it becomes visible, and again when it is clicked.

const diagrams = document.querySelectorAll('a img[src$=".svg"]');

/** Load a diagram again, under another name, so that its animation restarts. */
function play(image) {
  image.src = `${image.src.split("#")[0]}#${Date.now()}`;
}

const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      play(target);
    }
  },
  { threshold: 0.8 },
);
for (const image of diagrams) {
  observer.observe(image);
  image.closest("a").addEventListener("click", (event) => {
    event.preventDefault();
    play(image);
  });
}
