import assert from "node:assert/strict";
import { test } from "node:test";
import { writeRandomModel } from "../../test/random-model.js";
import { dataFolder, mini, serving } from "../../test/serving.js";
import { readProvenance } from "../audio/provenance.js";
import { type Codes, sliceFrames } from "../codes.js";
import { readCodes } from "../codes-file.js";
import type { GenerationInput } from "./client.js";

const stereo = { name: "stereo", path: dataFolder() };
await writeRandomModel(stereo.path, "stereo");
const s = await serving({ models: [mini, stereo] });

async function made(input: GenerationInput) {
  const { id } = await s.client.create(input);
  const generation = await s.client.finished(id);
  assert.equal(generation.state, "done", JSON.stringify(generation.error));
  const bytes = new Uint8Array(await s.client.codes(id));
  const file = {
    location: "codes",
    size: bytes.length,
    read: async (at: number, n: number) => bytes.slice(at, at + n),
  };
  const { chunks } = await readCodes({ ...file, close: async () => {} });
  return { id, generation, codes: chunks[0]!.codes as readonly [Codes, ...Codes[]] };
}

const refused = async (input: object, field: string | undefined, detail: RegExp) => {
  const response = await s.ask("POST", "/v1/generations", input);
  const problem = (await response.json()) as { field?: string; detail: string };
  assert.equal(response.status, 400, JSON.stringify(problem));
  assert.equal(problem.field, field);
  assert.match(problem.detail, detail);
};

test("sections go over the wire, in JSON and in forms, and come back to be sent again", async () => {
  const sections = [
    { prompt: "dark organ", duration: 0.4 },
    { prompt: "drums", duration: 0.4 },
  ];
  const first = await made({ sections, seed: 7, variations: 2 });
  const plain = await made({ prompt: "dark organ", duration: 0.8, seed: 7, variations: 2 });
  for (const [i, codes] of first.codes.entries()) {
    assert.deepEqual(sliceFrames(codes, 0, 20), sliceFrames(plain.codes[i]!, 0, 20));
    assert.notDeepEqual(codes, plain.codes[i]);
  }
  const { request, settings, pieces } = first.generation;
  assert.deepEqual([settings!.sections, settings!.duration, pieces[1]!.seconds], [sections, 0.8, 0.8]);
  assert.equal(pieces[0]!.prompt, "dark organ → drums");
  assert.deepEqual((await made(request as GenerationInput)).codes, first.codes);
  const wav = new Uint8Array(await (await fetch(s.client.soundUrl(first.id, "wav"))).arrayBuffer());
  assert.deepEqual(readProvenance(wav)!.settings.sections, sections);

  const form = new FormData();
  for (const [name, value] of Object.entries({ sections: JSON.stringify(sections), seed: "7", variations: "2" }))
    form.set(name, value);
  const sent = await fetch(`${s.url}/v1/generations`, { method: "POST", body: form, headers: { prefer: "wait" } });
  const again = (await sent.json()) as { request: object };
  assert.equal(sent.status, 201, JSON.stringify(again));
  assert.deepEqual(again.request, request);
});

test("a part of a piece of a take is composed anew", async () => {
  const take = await made({ prompt: "dark organ", duration: 1, seed: 1, variations: 2 });
  const regenerate = { generation: take.id, piece: 1, from: 0.4, to: 0.6, candidates: 2 };
  const input = { prompt: "drums", seed: 5, regenerate, parent: take.id, relation: "region" as const };
  const { codes, generation } = await made(input);
  assert.deepEqual(sliceFrames(codes[0], 0, 20), sliceFrames(take.codes[1]!, 0, 20));
  assert.deepEqual(sliceFrames(codes[0], 30), sliceFrames(take.codes[1]!, 30));
  assert.notDeepEqual(codes[0], take.codes[1]);
  const { generation: _, piece: __, ...region } = regenerate;
  assert.deepEqual([generation.settings!.regenerated, generation.settings!.duration], [region, 1]);
  assert.deepEqual([generation.parent, generation.relation], [take.id, "region"]);
  const { relation: ___, parent: ____, ...asked } = input;
  assert.deepEqual(generation.request, { ...asked, variations: 1 });
  assert.deepEqual((await made(generation.request as GenerationInput)).codes, codes);
});

test("what does not go together is refused, and says which field it is", async () => {
  const take = await made({ prompt: "bells", duration: 0.4, seed: 1 });
  const region = { generation: take.id, from: 0.1, to: 0.2 };
  const section = { prompt: "a", duration: 1 };
  await refused({}, "prompt", /say what it should sound like/);
  await refused({ prompt: "a", sections: [section] }, "sections", /words of its own/);
  await refused({ duration: 2, sections: [section] }, "sections", /leave out the duration/);
  await refused(
    {
      sections: [
        { ...section, duration: 200 },
        { ...section, duration: 200 },
      ],
    },
    "sections",
    /400 s: give at most 300/,
  );
  await refused({ sections: [section, { prompt: "b" }] }, "sections.1.duration", /undefined/);
  await refused({ prompt: "a", duration: 1, regenerate: region }, "regenerate", /leave out duration/);
  await refused({ sections: [section], regenerate: region }, "regenerate", /leave out sections/);
  await refused(
    { prompt: "a", regenerate: { ...region, generation: "0".repeat(32) } },
    "regenerate",
    /there is no generation/,
  );
  await refused({ prompt: "a", regenerate: { ...region, piece: 1 } }, "regenerate", /has 1 pieces/);
  await refused({ prompt: "a", regenerate: { ...region, to: 0.05 } }, "regenerate", /nothing lies between/);
  await refused(
    { prompt: "a", regenerate: { ...region, to: 1 } },
    undefined,
    /the part ends at 1 s and the take lasts 0.4 s/,
  );
  await refused({ prompt: "a", variations: 8, regenerate: region }, "variations", /32 pieces, candidates included/);
  await refused(
    { prompt: "a", model: "stereo", regenerate: region },
    "regenerate",
    /stereo has other codes than mini-reference/,
  );
});
