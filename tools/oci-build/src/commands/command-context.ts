import type { Progress } from "../progress/progress.ts";
import type { Registries } from "../registry/registries.ts";
import type { Store } from "../store/store.ts";

/** What every command works with; `main.ts` makes it from the environment. */
export interface CommandContext {
  readonly store: Store;
  readonly registries: Registries;
  readonly progress: Progress;
  /** A line of the command's result. */
  readonly print: (line: string) => void;
}
