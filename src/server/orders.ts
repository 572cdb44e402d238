/** @file From the body of a request to an order: checked against the model, with the sounds it comes with on the shelf. */

import { createHash } from "node:crypto";
import { writeFileAtomically } from "#platform";
import { type Codes, frameCount } from "../codes.js";
import { writeCodes } from "../codes-file.js";
import type { ModelFacts } from "../model-facts.js";
import { freshSeed, piecesOf, planFor } from "../plan.js";
import { parseRequest, type Region } from "../request.js";
import { mediaType, readForm, readJson, type Upload } from "./bodies.js";
import { type Desk, newId, type Order } from "./desk.js";
import { Problem } from "./problems.js";
import { codesFile, type Given, givenFile, givens, pieceFile, readGrids, regionFile } from "./shelf.js";
import { cutSound, takeSound } from "./sound-work.js";
import type { Result, Row } from "./store.js";
import {
  camel,
  generationInput,
  isMusical,
  type ParsedInput,
  parseInput,
  type RegionReference,
  type SoundReference,
  snake,
} from "./wire.js";

/**
 * Orders what the body asks for.
 * @returns the generation, and whether it was there already: made by an earlier request with the same key
 */
export async function takeOrder(desk: Desk, request: Request, client: string): Promise<{ row: Row; again: boolean }> {
  const { limits, store } = desk.options;
  const { fields, files } = await read(desk, request);
  const input = parseInput(fields, limits);
  const key = keyOf(request, fields, files);
  if (key === undefined) return { row: await place(desk, client, input, files), again: false };
  return desk.inTurn(key.key, async () => {
    const known = store.byKey(key.key);
    if (known === undefined) return { row: await place(desk, client, input, files, key), again: false };
    if (known.digest === key.digest) return { row: desk.get(known.id), again: true };
    throw new Problem("key-reused", "this Idempotency-Key came with another request: use a new one");
  });
}

// --- internal ---

interface Key {
  readonly key: string;
  readonly digest: string;
}

async function place(
  desk: Desk,
  client: string,
  input: ParsedInput,
  files: ReadonlyMap<string, Upload>,
  key?: Key,
): Promise<Row> {
  const { models, shelf, store } = desk.options;
  desk.checkRoom(client); // before its sounds are looked at
  const { facts } = await models.findMusic(input.model);
  const given = givens.filter((each) => input[each] !== undefined || files.has(each));
  const asked = parseRequest(musical(input), snake);
  const region = input.regenerate && regionOf(input.regenerate);
  const old = input.regenerate && (await codesOf(desk, input.regenerate, facts));
  const { frames } = planFor(facts, {
    ...asked,
    duration: old === undefined ? asked.duration : frameCount(old) / facts.frameRate,
    regenerate: region,
    ...(given.includes("melody") ? { melody: true } : {}),
  });
  const pieces = piecesOf(asked, freshSeed);
  if (input.parent !== undefined && store.get(input.parent) === undefined)
    throw Problem.invalid([["parent", `there is no generation ${input.parent}`]]);

  const id = newId();
  try {
    for (const each of given) {
      const seconds = await takeGiven(desk, id, each, files.get(each) ?? input[each]!);
      if (each === "continue" && seconds * facts.frameRate >= frames)
        throw Problem.invalid([
          [
            "continue",
            `it lasts ${seconds} s and the piece, it included, ${asked.duration} s: ask for a longer duration`,
          ],
        ]);
    }
    if (old !== undefined) {
      const bytes = writeCodes([{ codes: [old] }], { model: facts.name, frame_rate: `${facts.frameRate}` });
      const path = regionFile(await shelf.make(id));
      await writeFileAtomically(path, bytes);
      await shelf.share(path);
    }
    const { prompt: _, seed, variations: __, duration, ...others } = asked;
    const settings = asked.sections === undefined && region === undefined ? { ...others, duration } : others;
    const order: Order = {
      client,
      model: facts.name,
      licence: facts.licence,
      request: { ...repeatable(id, input, files), seed: seed ?? pieces[0]!.seed },
      pieces,
      settings,
      melody: given.includes("melody"),
      continued: given.includes("continue"),
      region,
      title: input.title,
      favourite: input.favourite,
      tags: input.tags,
      parent: input.parent,
      relation: input.relation,
    };
    return await desk.order(id, order, key);
  } catch (error) {
    await shelf.withdraw(id, 0).catch(() => {}); // whoever asked is told of the first error
    await shelf.remove(id);
    throw error;
  }
}

async function read(desk: Desk, request: Request) {
  const { limits } = desk.options;
  const type = mediaType(request);
  if (type === "application/json") return { fields: await readJson(request), files: new Map<string, Upload>() };
  if (type !== "multipart/form-data")
    throw new Problem("unsupported-media-type", "send application/json, or multipart/form-data with files");
  const form = await readForm(request, generationInput(limits), 2 * limits.uploadBytes);
  for (const [name, { bytes }] of form.files) {
    if (name !== "melody" && name !== "continue")
      throw Problem.invalid([[name.slice(0, 100), "the files of a request are melody and continue"]]);
    if (bytes.length > limits.uploadBytes)
      throw new Problem("too-large", `${name}: the file is larger than ${limits.uploadBytes} bytes`);
  }
  return form;
}

/** The fields that the library knows, in its words. */
function musical(input: ParsedInput): Record<string, unknown> {
  const known = Object.entries(input).filter(([field, value]) => isMusical(field) && value !== undefined);
  return Object.fromEntries(known.map(([field, value]) => [camel(field), value]));
}

/** The request so that sending it again asks for the same; files that came with it are found where they now lie. */
function repeatable(id: string, input: ParsedInput, files: ReadonlyMap<string, Upload>): Record<string, unknown> {
  const { title: _, favourite: __, tags: ___, parent: ____, relation: _____, ...asked } = input;
  const sent = [...files.keys()].map((given) => [given, { generation: id, of: given }] as const);
  return { ...asked, ...Object.fromEntries(sent) };
}

/** @returns seconds */
async function takeGiven(desk: Desk, id: string, given: Given, from: Upload | SoundReference): Promise<number> {
  const { shelf, limits } = desk.options;
  const to = givenFile(await shelf.make(id), given);
  try {
    const seconds =
      "bytes" in from
        ? await takeSound({ ...from, to, maxSeconds: limits.uploadSeconds })
        : await cutSound({
            from: await shelf.here(referred(desk, given, from)),
            to,
            start: from.start,
            end: from.end,
          });
    await shelf.share(to);
    return seconds;
  } catch (error) {
    throw Problem.about(given, error);
  }
}

function referred(desk: Desk, given: Given, { generation, of, piece }: SoundReference): string {
  const { shelf, store } = desk.options;
  const folder = shelf.folder(generation);
  if (of === "result") {
    finished(desk, given, generation, piece);
    return pieceFile(folder, piece);
  }
  const row = store.get(generation);
  if (row === undefined) throw Problem.invalid([[given, `there is no generation ${generation}`]]);
  if (of === "melody" ? row.melody : row.continued) return givenFile(folder, of);
  throw Problem.invalid([[given, `generation ${generation} was given no sound for ${of}`]]);
}

/** @throws Problem said of `field` unless the generation is done and has this piece */
function finished(desk: Desk, field: string, generation: string, piece: number): Row & { result: Result } {
  const no = (what: string) => Problem.invalid([[field, what]]);
  const row = desk.options.store.get(generation);
  if (row === undefined) throw no(`there is no generation ${generation}`);
  const { state, result, pieces } = row;
  if (state !== "done" || result === undefined)
    throw no(`generation ${generation} is ${state}: only what is done can be used`);
  if (piece >= pieces.length) throw no(`generation ${generation} has ${pieces.length} pieces, counted from 0`);
  return { ...row, result };
}

const regionOf = ({ from, to, candidates }: RegionReference): Region => ({ from, to, candidates });

/** The codes of a take, if they are such as the model writes. */
async function codesOf(desk: Desk, { generation, piece }: RegionReference, facts: ModelFacts): Promise<Codes> {
  const { model, result } = finished(desk, "regenerate", generation, piece);
  for (const field of ["sampleRate", "channels", "frameRate", "codebooks", "bins"] as const)
    if (result.sound[field] !== facts[field])
      throw Problem.invalid([["regenerate", `${facts.name} has other codes than ${model}, which made the take`]]);
  const { shelf } = desk.options;
  return (await readGrids(await shelf.here(codesFile(shelf.folder(generation)))))[piece]!;
}

function keyOf(request: Request, fields: unknown, files: ReadonlyMap<string, Upload>): Key | undefined {
  const key = request.headers.get("idempotency-key");
  if (key === null) return undefined;
  if (key === "" || key.length > 255) throw Problem.invalid([["Idempotency-Key", "give 1 to 255 characters"]]);
  const hash = createHash("sha256").update(JSON.stringify(fields));
  for (const [name, { bytes }] of files) hash.update(JSON.stringify([name, bytes.length])).update(bytes);
  return { key, digest: hash.digest("hex") };
}
