import type { ServiceContext } from "../service.ts";

/** A context without disk, network and other services, for parts that need none of them. */
export function createMemoryContext(now: () => number = Date.now): ServiceContext {
  const values = new Map<string, unknown>();
  return {
    accountId: "000000000000",
    region: "eu-central-1",
    endpoint: "http://127.0.0.1:1",
    now,
    store: {
      directory: "/nowhere",
      get: <T>(key: string) => structuredClone(values.get(key)) as T | undefined,
      put: (key, value) => void values.set(key, structuredClone(value)),
      delete: (key) => void values.delete(key),
      keys: (prefix = "") => [...values.keys()].filter((key) => key.startsWith(prefix)).sort(),
    },
    call: async (service, operation) => {
      throw new Error(`${service} ${operation} is not part of this test`);
    },
    keepAlive: (work) => void work,
    log: () => {},
  };
}
