/** @file Numbers about the server, in the text format that Prometheus reads. */

import { monitorEventLoopDelay } from "node:perf_hooks";

type Labels = Readonly<Record<string, string>>;

interface Metric {
  readonly kind: "counter" | "gauge";
  readonly help: string;
  readonly values: Map<string, number>;
}

export class Metrics {
  readonly #metrics = new Map<string, Metric>();

  /** How late the server is at whatever it is to do: under load, this is what requests wait for. */
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });

  constructor() {
    this.#delay.enable();
    for (const [name, [kind, help]] of Object.entries(described))
      this.#metrics.set(name, { kind, help, values: new Map() });
  }

  add(name: keyof typeof described, by: number, labels: Labels = {}): void {
    const { values } = this.#metrics.get(name)!;
    const key = spelled(labels);
    values.set(key, (values.get(key) ?? 0) + by);
  }

  set(name: keyof typeof described, value: number, labels: Labels = {}): void {
    this.#metrics.get(name)!.values.set(spelled(labels), value);
  }

  /** A request that was answered. */
  answered(operation: string, status: number, seconds: number): void {
    this.add("hocket_http_requests_total", 1, { operation, status: `${status}` });
    const { values } = this.#metrics.get("hocket_http_request_seconds_bucket")!;
    for (const [most, key] of buckets) values.set(key, (values.get(key) ?? 0) + Number(seconds <= most));
    this.add("hocket_http_request_seconds_sum", seconds);
    this.add("hocket_http_request_seconds_count", 1);
  }

  /** Delays are those since the last call. */
  toString(): string {
    for (const percentile of [50, 99, 100])
      this.set("hocket_event_loop_delay_seconds", this.#delay.percentile(percentile) / 1e9, {
        quantile: `${percentile / 100}`,
      });
    this.#delay.reset();
    let text = "";
    for (const [name, { kind, help, values }] of this.#metrics) {
      const family = name.replace(/_(bucket|sum|count)$/, "");
      const part = family !== name;
      if (!part || name.endsWith("_bucket"))
        text += `# HELP ${family} ${help}\n# TYPE ${family} ${part ? "histogram" : kind}\n`;
      for (const [labels, value] of values) text += `${name}${labels} ${value}\n`;
    }
    return text;
  }
}

// --- internal ---

/** The most that falls into it, and its name. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, Number.POSITIVE_INFINITY].map(
  (most) => [most, `{le="${most === Number.POSITIVE_INFINITY ? "+Inf" : most}"}`] as const,
);

const described = {
  hocket_http_requests_total: ["counter", "Requests answered"],
  hocket_http_request_seconds_bucket: ["counter", "Seconds until the answer began, without streams' length"],
  hocket_http_request_seconds_sum: ["counter", ""],
  hocket_http_request_seconds_count: ["counter", ""],
  hocket_generations: ["gauge", "Generations that are kept, by state"],
  hocket_generations_finished_total: ["counter", "Generations that came to an end since the start, by state"],
  hocket_generations_waiting: ["gauge", "Generations that wait to be composed"],
  hocket_sound_seconds_total: ["counter", "Seconds of sound composed since the start"],
  hocket_composing_seconds_total: ["counter", "Seconds spent composing since the start"],
  hocket_event_loop_delay_seconds: ["gauge", "How late the server was since it was last asked, 10 ms being on time"],
  process_resident_memory_bytes: ["gauge", "Memory of the server, without the process that computes"],
  process_start_time_seconds: ["gauge", "When the server started, in seconds since 1970"],
} as const satisfies Record<string, readonly ["counter" | "gauge", string]>;

function spelled(labels: Labels): string {
  const all = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, "_")}"`);
  return all.length === 0 ? "" : `{${all.join(",")}}`;
}
