export type ShutdownHook = () => void | Promise<void>;

/** Where app and engine, which are bundled apart, meet. */
const hooksKey = Symbol.for("@workspace/lambda-runtime/shutdown-hooks");

interface HookHolder {
  [hooksKey]?: ShutdownHook[];
}

/**
 * Registers what is to be done before the environment ends: flush, close, sign off. Lambda gives notice only to
 * functions that have an extension, and then 500 ms to 2 s.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
 */
export function onShutdown(hook: ShutdownHook): void {
  const holder: HookHolder = globalThis as HookHolder;
  holder[hooksKey] ??= [];
  holder[hooksKey].push(hook);
}

/** Runs the hooks, the last one registered first; one that fails does not stop the others. @returns what they threw */
export async function runShutdownHooks(): Promise<unknown[]> {
  const hooks = (globalThis as HookHolder)[hooksKey] ?? [];
  const errors: unknown[] = [];
  for (const hook of hooks.toReversed()) {
    try {
      await hook();
    } catch (error) {
      errors.push(error);
    }
  }
  return errors;
}
