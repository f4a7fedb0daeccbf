// The records of a private window as a dispute opened them (docs/spec/protocol.md §7.4): the multiproof against the
// committed root (docs/spec/merkle.md §2), and which step samples which.
import { concat, equal } from "../kernel/bytes.js";
import { keccak } from "../kernel/keccak.js";
import { fold64 } from "../kernel/rng.js";
import { PRIVATE, recordIndex } from "../kernel/sources.js";
import { STEPS } from "../kernel/window.js";
import { Uncomputable } from "./replay.js";

const leaf = (word) => keccak(concat([0], word));
const node = (left, right) => keccak(concat([1], left, right));

/** The root that words at ascending indices lead to by their siblings; throws an Uncomputable if they do not fit. */
export function multiproofRoot(indices, words, siblings, length) {
  let nodes = words.map((word, i) => [indices[i], leaf(word)]);
  let used = 0;
  for (let width = 1; width < length; width *= 2) {
    const above = [];
    for (let i = 0; i < nodes.length; i++) {
      const [index, hash] = nodes[i];
      if (index % 2 === 0 && nodes[i + 1]?.[0] === index + 1) {
        above.push([index / 2, node(hash, nodes[++i][1])]);
        continue;
      }
      const sibling = siblings[used++];
      if (!sibling) throw new Uncomputable("The opened records lack siblings of their proof.");
      above.push(index % 2 ? [(index - 1) / 2, node(sibling, hash)] : [index / 2, node(hash, sibling)]);
    }
    nodes = above;
  }
  if (used !== siblings.length) throw new Uncomputable("The opened records have more siblings than their proof needs.");
  return nodes[0][1];
}

/**
 * The records that a window samples: {records (Map of index → word), length, secretFold}. Throws an Uncomputable unless
 * they are exactly those that its 128 steps sample, under the committed root and by the committed secret.
 * @param committed {secret, secretHash, root, length}
 * @param opening {order, words, siblings}
 */
export function openRecords({ secret, secretHash, root, length }, { order, words, siblings }, { dna, index }) {
  if (!equal(keccak(secret), secretHash)) throw new Uncomputable("The secret of the records is not the committed one.");
  const context = { source: PRIVATE, dna, length, secretFold: fold64(secret) };
  const first = STEPS * index;
  const sampled = Array.from({ length: STEPS }, (_, i) => recordIndex(context, (first + i) % 2 ** 32));
  const indices = [...new Set(sampled)].sort((a, b) => a - b);
  const fits = indices.length === words.length && sampled.every((own, i) => indices[order[i]] === own);
  if (!fits || order.length !== STEPS)
    throw new Uncomputable("The opened records are not those that its steps sample.");
  if (!equal(multiproofRoot(indices, words, siblings, length), root))
    throw new Uncomputable("The opened records do not have the Merkle root that their owner committed to.");
  return { records: new Map(indices.map((own, i) => [own, words[i]])), length, secretFold: context.secretFold };
}
