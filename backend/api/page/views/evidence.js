// An evidence bundle, dropped onto the page and verified here: nothing is sent, and nobody is asked.
import { get } from "../api.js";
import { figure, hash } from "../beastly.js";
import { contradictions } from "../case/bundle.js";
import { Examination, startWorker } from "../case/examination.js";
import { endCard, stepsCard } from "../case/steps.js";
import { strip, verdict } from "../case/strip.js";
import { MAX_FILE_BYTES } from "../case/zip.js";
import { h, lead, notice, redraw, show, table } from "../dom.js";
import { energy } from "../format.js";

const SOURCES = ["curriculum", "self-play", "battle", "private"];

/** What the bundle's verdict is worth, in one sentence. */
function judgement({ manifest, found }) {
  const wrong = contradictions(manifest, found);
  const { checkpoint, beast_id } = manifest;
  const claimed = `window ${checkpoint.index} of beast ${beast_id} is ${found.right ? "right" : "wrong"}`;
  return wrong.length
    ? ["bad", "This bundle does not say the truth", `Computed here, these are not as it claims: ${wrong.join(", ")}.`]
    : ["good", "This bundle says the truth", `Computed here, step by step: ${claimed}. ${found.reason}.`];
}

function checks({ manifest }) {
  const { checkpoint, dataset, match } = manifest;
  const held = [
    "The kernel is this page's own, and the digest is the record's.",
    checkpoint.index
      ? "The parent's state has the hash that the record names."
      : "It is the beast's first window: the parent's state was made from the DNA here.",
  ];
  if (dataset) held.push("The private records are those of the committed root, and the secret is the committed one.");
  if (match) held.push("The log of the match has the root that the bundle states.");
  return held;
}

function facts({ manifest }) {
  const { checkpoint, dispute, claim } = manifest;
  const { payload } = checkpoint;
  return h(
    "dl",
    { class: "figures" },
    figure("Beast", manifest.beast_id),
    figure("Window", String(checkpoint.index), `${SOURCES[payload.source]}, epoch ${payload.epoch}`),
    figure("Trainer", hash(checkpoint.trainer)),
    figure("Price and bond", `${energy(BigInt(payload.energy_burn) + BigInt(checkpoint.bond))} ENERGY`),
    figure("The bundle's verdict", claim.verdict, claim.reason),
    dispute
      ? figure("Dispute", String(dispute.dispute_id), [dispute.status, dispute.conviction].filter(Boolean).join(", "))
      : null,
  );
}

/** What only a chain can say, so that the bundle had to be believed. */
function believed({ manifest }) {
  const { events } = manifest;
  return h(
    "section",
    { "aria-labelledby": "believed" },
    h("h2", { id: "believed" }, "What only a chain can say"),
    h(
      "p",
      {},
      `That the record was submitted on chain ${manifest.chain_id} to `,
      hash(manifest.ledger),
      ", and that epoch seed, heads and rules are those of its epoch and season. ",
      h("code", {}, "chainbeasts dispute verify-bundle FILE --with-chain"),
      " compares them with a node.",
    ),
    events.length
      ? table(
          "Where the chain says so",
          ["Event", "Block", "Transaction"],
          events.map(({ name, block, transaction }) => [name, String(block), hash(transaction)]),
        )
      : null,
  );
}

function report(examination, name) {
  const { manifest, found, problem, steps, cause, end } = examination;
  if (problem) {
    const title = manifest ? "This bundle cannot be computed" : "This is no evidence bundle";
    const why = /[.]$/.test(problem) ? problem : `${problem}.`;
    return [notice(title, `${name}: ${why}`, [], "error")];
  }
  if (!found) return [h("p", { class: "hint" }, `${name}: your browser computes the window again…`)];
  const [kind, title, text] = judgement(examination);
  const claim = { segments: manifest.dispute?.segments ?? [], h128: manifest.checkpoint.payload.h128 };
  return [
    h(
      "section",
      { class: `bundle-verdict ${kind}`, "aria-labelledby": "seal" },
      h("h2", { id: "seal" }, title),
      h("p", {}, text),
      h("ul", {}, ...checks(examination).map((check) => h("li", {}, check))),
    ),
    facts(examination),
    h(
      "section",
      { class: "segments", "aria-labelledby": "segments" },
      h("h2", { id: "segments" }, "The window, in 16 segments of 8 steps"),
      h("p", { class: "verdict" }, verdict(claim, found)),
      strip(claim, found),
    ),
    steps ? stepsCard(steps, cause) : end ? endCard(end) : null,
    believed(examination),
  ];
}

/** Where a file is dropped, or chosen. `take(file)` gets it. */
function dropZone(take) {
  const input = h("input", {
    type: "file",
    id: "bundle",
    accept: ".zip,application/zip",
    onchange: () => input.files[0] && take(input.files[0]),
  });
  const zone = h(
    "div",
    {
      class: "dropzone",
      ondragover: (event) => {
        event.preventDefault();
        zone.classList.add("over");
      },
      ondragleave: () => zone.classList.remove("over"),
      ondrop: (event) => {
        event.preventDefault();
        zone.classList.remove("over");
        const [file] = event.dataTransfer.files;
        if (file) take(file);
      },
    },
    h("label", { for: "bundle" }, "Drop an evidence bundle here, or choose one"),
    input,
  );
  return zone;
}

export async function render(place, { signal, retitle, onNews }) {
  retitle("Evidence");
  onNews(async () => {}, []); // what is on the chain changes nothing of a file that somebody has dropped here
  const tables = await get("/kernel/tables.json", signal);
  const result = h("div", { class: "part" });
  const told = h("p", { class: "hint", role: "status" }, "Loading what it takes to verify one…");
  let [examination, name, newest] = [null, "", 0];
  const draw = () => redraw(result, report(examination, name));
  const worker = startWorker(
    "/case/evidence_worker.js",
    (message) => {
      if (message.kind === "ready")
        show(told, "Ready. The file stays in this browser and no server is asked: you may go offline now.");
      else if (!examination) show(told, message.reason);
      // What is about a former file is nobody's; a worker that is broken names none.
      else if ((message.id ?? newest) === newest) examination.hear(message);
    },
    signal,
  );
  const take = async (file) => {
    const id = ++newest;
    name = file.name;
    examination = new Examination(draw);
    if (file.size > MAX_FILE_BYTES)
      return examination.hear({ kind: "refused", reason: `it has more than ${MAX_FILE_BYTES} bytes` });
    draw();
    worker.postMessage({ id, tables, bytes: new Uint8Array(await file.arrayBuffer()) });
  };
  show(
    place,
    lead(
      "Evidence",
      "A bundle holds all that it takes to compute one submitted window again. Whoever made it need not be trusted.",
    ),
    dropZone(take),
    told,
    result,
  );
}
