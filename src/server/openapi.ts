/** @file The OpenAPI 3.1 document, made of the table of operations and the schemas that check requests. */

import { z } from "#zod";
import { type Operation, operationsFor } from "./operations.js";
import { type ProblemKind, problems } from "./problems.js";
import { trainSchemas } from "./train-wire.js";
import {
  Generation,
  GenerationList,
  GenerationPatch,
  Health,
  type Limits,
  ProblemBody,
  SoundReference,
} from "./wire.js";
import { Model, ModelList, Pull, PullInput } from "./wire-models.js";

export interface Document {
  readonly openapi: "3.1.0";
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [field: string]: unknown;
}

export function openapi(limits: Limits, version: string): Document {
  const operations = operationsFor(limits);
  const named = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries({
    Generation,
    GenerationInput: operations.create.body["application/json"],
    GenerationList,
    GenerationPatch,
    Health,
    Model,
    ModelList,
    Problem: ProblemBody,
    Pull,
    PullInput,
    SoundReference,
    ...trainSchemas,
  }))
    named.add(schema, { id });
  const form = operations.create.body["multipart/form-data"];
  named.add(form, { id: "GenerationForm" });
  const uri = (id: string) => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(named, { io: "input", uri });
  for (const schema of Object.values(schemas)) {
    delete schema.$id;
    delete schema.$schema;
  }
  const file = { type: "string", format: "binary" };
  const fields = schemas.GenerationForm!.properties as Record<string, object>;
  for (const given of ["melody", "continue"]) fields[given] = { anyOf: [file, fields[given]!] };

  const content = (bodies: Readonly<Record<string, z.ZodType | string>>) =>
    Object.fromEntries(
      Object.entries(bodies).map(([type, body]) => {
        if (typeof body === "string") return [type, { schema: { ...file, description: body } }];
        const id = named.get(body)?.id;
        return [type, { schema: id === undefined ? inline(body) : { $ref: uri(id) } }];
      }),
    );
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [operationId, operation] of Object.entries(operations) as [string, Operation][]) {
    const { method, path, summary, description, body, answers } = operation;
    const good = Object.entries(answers).map(([status, [description, bodies]]) => [
      status,
      { description, ...(bodies === undefined ? {} : { content: content(bodies) }) },
    ]);
    paths[path] ??= {};
    paths[path][method] = {
      operationId,
      summary,
      ...(description === undefined ? {} : { description }),
      parameters: parameters(operation),
      ...(body === undefined ? {} : { requestBody: { required: true, content: content(body) } }),
      responses: { ...bad(operation.problems), ...Object.fromEntries(good) },
      ...(operationId === "health" ? { security: [] } : {}),
    };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Hocket", version, description: "Music from words.", license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "/" }],
    security: [{ token: [] }, { cookie: [] }, {}],
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "where the server was started with --token" },
        cookie: { type: "apiKey", in: "cookie", name: "hocket", description: "from POST /v1/session" },
      },
    },
  };
}

// --- internal ---

const inline = (schema: z.ZodType): object => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input" });
  return rest;
};

function parameters({ path, query, headers = {} }: Operation): object[] {
  const { properties = {}, required = [] } = (query === undefined ? {} : inline(query)) as {
    properties?: Record<string, object>;
    required?: string[];
  };
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string", pattern: "^[0-9a-f]{32}$" },
  }));
  const inQuery = Object.entries(properties).map(([name, schema]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
  }));
  const inHeader = Object.entries(headers).map(([name, description]) => ({
    name,
    in: "header",
    description,
    schema: { type: "string" },
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

/** Problems by status; kinds that share one are named together. */
function bad(kinds: readonly ProblemKind[]): Record<number, object> {
  const titles: Record<number, string[]> = {};
  for (const kind of [...kinds, "internal"] as const) {
    const [status, title] = problems[kind];
    titles[status] = [...(titles[status] ?? []), title];
  }
  const content = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };
  return Object.fromEntries(
    Object.entries(titles).map(([status, all]) => [status, { description: all.join("; "), content }]),
  );
}
