import type { Context } from "../handler/context.ts";

/** Which invocation the running code belongs to. */
export interface InvocationStore {
  run<T>(context: Context, work: () => Promise<T>): Promise<T>;
  current(): Context | undefined;
}

/** For one invocation at a time: whatever runs belongs to it. Costs nothing. */
export function createSingleStore(): InvocationStore {
  let current: Context | undefined;
  return {
    async run(context, work) {
      current = context;
      try {
        return await work();
      } finally {
        current = undefined;
      }
    },
    current: () => current,
  };
}

/** For several at once: the context goes along with promises, timers and callbacks. */
export async function createConcurrentStore(): Promise<InvocationStore> {
  const { AsyncLocalStorage } = await import("node:async_hooks");
  const storage = new AsyncLocalStorage<Context>();
  return {
    run: (context, work) => storage.run(context, work),
    current: () => storage.getStore(),
  };
}
