// The page: asks for the view and the picture, draws both, sends wishes.
"use strict";

const BONES = [[1, 2], [1, 3], [3, 5], [2, 4], [4, 6], [0, 1], [0, 2]];
const SEEN = 0.5;
const element = (id) => document.getElementById(id);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function draw(picture, skeleton) {
  const canvas = element("mirror");
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!picture) return;
  canvas.width = picture.width;
  canvas.height = picture.height;
  // Mirrored: people expect to see themselves as in a mirror.
  pen.setTransform(-1, 0, 0, 1, canvas.width, 0);
  pen.drawImage(picture, 0, 0);
  if (!skeleton) return;
  pen.lineWidth = 4;
  for (const [a, b] of BONES) {
    const [p, q] = [skeleton[a], skeleton[b]];
    pen.strokeStyle = Math.min(p[2], q[2]) >= SEEN ? "#00e65a" : "#f0aa28";
    pen.beginPath();
    pen.moveTo(p[0] * canvas.width, p[1] * canvas.height);
    pen.lineTo(q[0] * canvas.width, q[1] * canvas.height);
    pen.stroke();
  }
}

// The movement that is asked for, as a stick figure in the corner.
function drawFigure(strokes) {
  const canvas = element("mirror");
  const pen = canvas.getContext("2d");
  const [size, edge] = [canvas.height * 0.3, 12];
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.fillStyle = "#ffffffd0";
  pen.fillRect(0, 0, size + 2 * edge, size + 2 * edge);
  pen.strokeStyle = "#224466";
  pen.lineWidth = 6;
  pen.lineCap = "round";
  for (const [[ax, ay], [bx, by]] of strokes) {
    pen.beginPath();
    pen.moveTo(edge + ax * size, edge + ay * size);
    pen.lineTo(edge + bx * size, edge + by * size);
    pen.stroke();
  }
}

// How strong the gesture is: a bar, words, an advice.
function showStrength(told) {
  if (element("strength").hidden !== !told) element("strength").hidden = !told;
  if (!told) return;
  element("bar").value = told.percent;
  for (const part of ["words", "estimate", "advice"]) {
    if (element(part).textContent !== told[part]) element(part).textContent = told[part];
  }
}

async function look() {
  const view = await (await fetch("/view")).json();
  if (element("message").textContent !== view.message) element("message").textContent = view.message;
  if (element("hint").textContent !== view.hint) element("hint").textContent = view.hint;
  showStrength(view.strength);
  element("try").disabled = !view.practised;
  for (const button of document.querySelectorAll("button")) {
    button.classList.toggle("on", button.dataset.wish === view.wish);
  }
  const answer = await fetch("/picture");
  const picture = answer.status === 200 ? await createImageBitmap(await answer.blob()) : null;
  draw(picture, view.skeleton);
  if (picture && view.figure) drawFigure(view.figure);
  return picture ? 40 : 300;
}

async function run() {
  for (;;) {
    let wait = 1000;
    try {
      wait = await look();
    } catch (error) {
      element("message").textContent = "posectl studio has ended. Start it again in the terminal.";
    }
    await pause(wait);
  }
}

for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", () => fetch("/" + button.dataset.wish, { method: "POST" }));
}
run();
