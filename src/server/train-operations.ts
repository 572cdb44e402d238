/** @file The operations about learning: folders that may be learnt from, what is in them, and runs. */

import { z } from "#zod";
import type { Operation } from "./operations.js";
import { FolderList, Music, MusicInput, MusicList, Run, RunInput, RunList } from "./train-wire.js";
import { idPattern } from "./wire.js";

const number = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number);

export const trainQueries = {
  folders: z.strictObject({
    folder: z.string().regex(idPattern).optional().describe("an id of a folder; where to begin, if left out"),
  }),
  runSample: z.strictObject({
    step: number.describe("after which it was composed"),
    index: number.describe("of the prompt, counted from 1"),
  }),
};

const json = (schema: z.ZodType) => ({ "application/json": schema });
const usual = ["unauthorized", "forbidden", "misdirected"] as const;
const sent = ["invalid", "too-large", "unsupported-media-type"] as const;
const [music, runs] = ["/v1/training/music", "/v1/training/runs"];
const run = `${runs}/{id}`;

export const trainOperations = {
  folders: {
    method: "get",
    path: "/v1/training/folders",
    summary: "Folders on the server's machine that may be learnt from",
    description:
      "Those that the server was started with (--music), and what lies in them. A folder is known by an id that this operation hands out; links that lead elsewhere are not followed.",
    query: trainQueries.folders,
    answers: { 200: ["The folder's folders", json(FolderList)] },
    problems: [...usual, "invalid", "not-offered", "not-found"],
  },
  listen: {
    method: "post",
    path: music,
    summary: "Listen through a folder: what can be learnt from, and what is wrong with the rest",
    body: json(MusicInput),
    answers: { 202: ["It is being listened to", json(Music)] },
    problems: [...usual, ...sent, "not-offered", "too-many", "stopping"],
  },
  musics: {
    method: "get",
    path: music,
    summary: "Folders that were listened through, the newest first",
    answers: { 200: ["All of them", json(MusicList)] },
    problems: usual,
  },
  music: {
    method: "get",
    path: `${music}/{id}`,
    summary: "What was found in a folder",
    answers: { 200: ["What was found", json(Music)] },
    problems: [...usual, "not-found"],
  },
  removeMusic: {
    method: "delete",
    path: `${music}/{id}`,
    summary: "Forget what was found; listening ends. The folder itself is not touched",
    answers: { 204: ["It is forgotten"] },
    problems: [...usual, "not-found", "in-use"],
  },
  train: {
    method: "post",
    path: runs,
    summary: "Let a model learn",
    description: "One run computes at a time, and lets music that is being composed go first; others wait.",
    body: json(RunInput),
    answers: { 201: ["It learns, or waits for its turn", json(Run)] },
    problems: [...usual, ...sent, "unusable", "not-offered", "too-many", "stopping"],
  },
  runs: {
    method: "get",
    path: runs,
    summary: "All runs, the newest first",
    answers: { 200: ["All of them", json(RunList)] },
    problems: usual,
  },
  run: {
    method: "get",
    path: run,
    summary: "One run",
    answers: { 200: ["The run", json(Run)] },
    problems: [...usual, "not-found"],
  },
  removeRun: {
    method: "delete",
    path: run,
    summary: "Delete a run with the model that came of it; one that learns is ended",
    answers: { 204: ["It is gone"] },
    problems: [...usual, "not-found"],
  },
  stopRun: {
    method: "post",
    path: `${run}/stop`,
    summary: "Stop it after the step that it is at; one that is over stays as it is",
    answers: { 200: ["The run", json(Run)] },
    problems: [...usual, "not-found"],
  },
  resumeRun: {
    method: "post",
    path: `${run}/resume`,
    summary: "Go on where it was, to the same bits as if it had never stopped; one that learns goes on anyway",
    answers: { 200: ["The run", json(Run)] },
    problems: [...usual, "invalid", "not-found", "not-offered", "unusable", "too-many", "stopping"],
  },
  runEvents: {
    method: "get",
    path: `${run}/events`,
    summary: "Follow a run: server-sent events",
    description: `Events, the data of each in JSON:
- \`state\`: the run, at first and whenever it has changed
- \`numbers\`: {at, lines}: what steps and checks say, from line \`at\` of the log on; lines that one has from there on are not true any more
- \`samples\`: {step, samples}: pieces that were composed after that step
- \`over\`: the run, stopped, done or failed; the stream ends
- \`deleted\`: {id}; the stream ends

A client that comes back with the id of the last event in Last-Event-ID gets the numbers that it does not have.`,
    headers: { "Last-Event-ID": "the id of the last event that was heard" },
    answers: { 200: ["Events", { "text/event-stream": "events" }] },
    problems: [...usual, "not-found"],
  },
  runLog: {
    method: "get",
    path: `${run}/log`,
    summary: "All its numbers: a line of JSON for each step and each check",
    answers: { 200: ["The log", { "application/x-ndjson": "lines of JSON" }] },
    problems: [...usual, "not-found"],
  },
  runSample: {
    method: "get",
    path: `${run}/sample.flac`,
    summary: "A piece that it composed after a step",
    query: trainQueries.runSample,
    answers: { 200: ["The piece", { "audio/flac": "the sound" }] },
    problems: [...usual, "invalid", "not-found"],
  },
} as const satisfies Record<string, Operation>;
