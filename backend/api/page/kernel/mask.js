// Which slots are awake at hatch (docs/spec/network.md §1): a portrait shows it, too, and needs no more of the kernel.

export function genesisMask(dna) {
  const sensors = (1 << (1 + (dna[4] % 4))) - 1;
  const appendages = (1 << (1 + (dna[5] % 4))) - 1;
  return sensors | (appendages << 4);
}
