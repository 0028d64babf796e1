import type { Context } from "../handler/context.ts";

/** Which invocation the running code belongs to. */
export interface InvocationStore {
  run<T>(context: Context, work: () => T): T;
  /** The invocation has been answered. */
  leave(): void;
  current(): Context | undefined;
}

/** For one invocation at a time: whatever runs belongs to it. Costs nothing. */
export function createSingleStore(): InvocationStore {
  let current: Context | undefined;
  return {
    run(context, work) {
      current = context;
      return work();
    },
    leave() {
      current = undefined;
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
    leave: () => {},
    current: () => storage.getStore(),
  };
}
