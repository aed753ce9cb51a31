/* The types of celeriac.js. Names in snake_case are those of the REST API. */

export type Status =
  | "blocked" | "scheduled" | "queued" | "processing" | "completed" | "failed" | "cancelled";
export type Level = "urgent" | "high" | "normal" | "low";
export type Transport = "auto" | "websocket" | "sse" | "poll";
export type State = "connecting" | "live" | "waiting" | "polling" | "ended";

/** A job as events carry it: without payload and result. */
export interface JobState {
  id: string;
  type: string;
  status: Status;
  queue: string;
  owner: string | null;
  priority: number;
  level: Level;
  progress: number;
  progress_message: string | null;
  error: { type: string; message: string; details?: unknown } | null;
  attempt: number;
  retry_count: number;
  position: number | null;
  position_exact: boolean | null;
  estimated_wait_seconds: number | null;
  labels: Record<string, string>;
  batch_id: string | null;
  created_at: string;
  started_at: string | null;
  completed_at: string | null;
  cancel_requested_at: string | null;
  updated_at: string;
  [field: string]: unknown;
}

export interface Job<Result = unknown> extends JobState {
  payload: Record<string, unknown>;
  result: Result | null;
  result_url: string | null;
}

export interface JobEvent {
  /** `job.queued`, `job.started`, `job.progress`, …, `batch.completed`; first `job.snapshot`. */
  event: string;
  timestamp: string;
  /** The place in the stream; null where the state was asked for. */
  id: string | null;
  data: JobState;
  /** Events before this one are lost; its state is whole. */
  gap?: boolean;
  /** Read, not heard. */
  polled?: boolean;
}

export interface Options {
  /** Where Celeriac answers; the page's own host by default. */
  baseUrl?: string;
  /** A bearer token. Without one the browser's session counts. */
  token?: string;
  /** The slug for `X-Tenant`. */
  tenant?: string;
  /** Gets a ticket from your own server, for pages that hold no token. Such a client hears only. */
  ticket?: (filter: Filter) => string | Promise<string>;
  /** The CSRF token of a session; by default that of `{% csrf_token %}` on the page. */
  csrf?: string | (() => string);
  fetch?: typeof fetch;
  /** How often a request that may be sent again is, after 429, 502, 503, 504 or no answer (5). */
  retries?: number;
  /** Where nothing live works, a job is asked for this often at first (2). */
  pollSeconds?: number;
  /** After so long a silence the state is asked for although the connection looks sound (30). */
  safetySeconds?: number;
}

export interface Filter {
  job_id?: string;
  batch_id?: string;
  owner?: string;
}

export interface WatchOptions {
  onEvent?: (event: JobEvent) => void;
  onState?: (state: State) => void;
  transport?: Transport;
  signal?: AbortSignal;
}

export interface CreateOptions {
  queue?: string;
  priority?: number | Level;
  run_at?: string;
  delay_seconds?: number;
  expires_at?: string;
  max_retries?: number;
  timeout_seconds?: number;
  unique_key?: string;
  labels?: Record<string, string>;
  depends_on?: (string | { job_id: string; on_failure?: "cancel" | "fail" | "run" })[];
  webhook_url?: string;
  owner?: string;
  /** By default a new one for each call. */
  idempotencyKey?: string;
  signal?: AbortSignal;
  [field: string]: unknown;
}

export interface Watch extends AsyncIterable<JobEvent> {
  /** The newest state; null until something was heard. */
  readonly job: JobState | null;
  readonly state: State;
  /** The job (or batch) as it was at its end. */
  readonly ended: Promise<JobState>;
  /** Aborted when there is nothing more to hear. */
  readonly over: AbortSignal;
  stop(): void;
}

export class CeleriacError extends Error {
  /** 0: no answer at all. */
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: { pointer: string; detail: string }[];
  readonly retryAfter: number | null;
  /** Whether the same request may be answered another time. */
  readonly passes: boolean;
}

interface Signal {
  signal?: AbortSignal;
}

export class Celeriac {
  constructor(options?: Options);
  create(type: string, payload: Record<string, unknown>, options?: CreateOptions): Promise<Job>;
  get<Result = unknown>(id: string, options?: Signal): Promise<Job<Result>>;
  cancel(id: string, options?: Signal): Promise<Job>;
  retry(id: string, options?: Signal & { payload?: Record<string, unknown> }): Promise<Job>;
  list(filters?: Record<string, unknown>, options?: Signal): Promise<{ items: Job[]; next_cursor: string | null }>;
  batch(id: string, options?: Signal): Promise<Record<string, unknown>>;
  jobTypes(options?: Signal): Promise<{ items: Record<string, unknown>[] }>;
  stats(options?: Signal): Promise<Record<string, unknown>>;
  queues(options?: Signal): Promise<{ items: Record<string, unknown>[]; next_cursor: string | null }>;
  watch(id: string, options?: WatchOptions): Watch;
  watchAll(filter?: Omit<Filter, "job_id">, options?: WatchOptions): Watch;
  wait<Result = unknown>(id: string, options?: WatchOptions): Promise<Job<Result>>;
}

export const FINAL: ReadonlySet<Status>;
