/** A part of the state on disk: documents by key, and blobs by name. Every write is whole or not there. */
export interface Store {
  /** The folder that blobs and unpacked files go into; it exists. */
  readonly directory: string;
  get<T>(key: string): T | undefined;
  /** Written to disk before it returns. `value` is JSON. */
  put(key: string, value: unknown): void;
  delete(key: string): void;
  /** Keys that start with `prefix`, sorted. */
  keys(prefix?: string): string[];
}
