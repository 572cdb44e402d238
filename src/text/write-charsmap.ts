/** @file Writes the character map that charsmap.ts reads: a Darts-clone double array over UTF-8, and the replacements. */

/**
 * The map that replaces each key by its value: at each place of a text the longest key counts.
 * @param entries of texts that are not empty and hold no NUL
 */
export function writeCharsmap(entries: ReadonlyMap<string, string>): Uint8Array<ArrayBuffer> {
  const root: Node = { children: new Map() };
  const strings: number[] = [];
  const places = new Map<string, number>();
  for (const [key, value] of entries) {
    let node = root;
    for (const byte of encoder.encode(key)) {
      let next = node.children.get(byte);
      if (next === undefined) {
        next = { children: new Map() };
        node.children.set(byte, next);
      }
      node = next;
    }
    if (!places.has(value)) {
      places.set(value, strings.length);
      strings.push(...encoder.encode(value), 0);
    }
    node.value = places.get(value)!;
  }
  const trie = doubleArray(root);
  const map = new Uint8Array(4 + 4 * trie.length + strings.length);
  const view = new DataView(map.buffer);
  view.setUint32(0, 4 * trie.length, true);
  for (const [i, unit] of trie.entries()) view.setUint32(4 + 4 * i, unit, true);
  map.set(strings, 4 + 4 * trie.length);
  return map;
}

// --- internal ---

const encoder = new TextEncoder();

interface Node {
  readonly children: Map<number, Node>;
  value?: number;
}

/** A unit that nothing leads to: no byte equals its label. */
const unused = 0x80000000;

/**
 * Each node's unit holds its label, whether a value follows, and how far its base is away (exclusive or); its children
 * lie at base ^ label, its value at base. No two nodes have the same base, or one would find the other's children.
 */
function doubleArray(root: Node): number[] {
  const units: number[] = [];
  const taken = new Set<number>([0]);
  const bases = new Set<number>();
  const place = (node: Node, at: number, label: number): void => {
    const labels = [...(node.value === undefined ? [] : [0]), ...node.children.keys()];
    let base = 1;
    while (bases.has(base) || labels.some((each) => taken.has(base ^ each))) base++;
    bases.add(base);
    for (const each of labels) taken.add(base ^ each);
    // A reader may look anywhere within 256 units of a base.
    while (units.length <= (base | 0xff)) units.push(unused);
    units[at] = label | (node.value === undefined ? 0 : 0x100) | ((at ^ base) << 10);
    if (node.value !== undefined) units[base] = (unused | node.value) >>> 0;
    for (const [byte, child] of node.children) place(child, base ^ byte, byte);
  };
  place(root, 0, 0);
  return units;
}
