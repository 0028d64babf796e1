import type { Service, ServiceContext } from "../service.ts";
import { createAliasOperations } from "./alias-operations.ts";
import { createCodeCache } from "./code/index.ts";
import { createEnvironmentPool } from "./execution/environment-pool.ts";
import { createInvoker } from "./execution/invoker.ts";
import { createFunctionOperations } from "./function-operations.ts";
import { createUrlRoute } from "./function-urls/route.ts";
import { functionUrlPrefix } from "./function-urls/url-event.ts";
import { openFunctions } from "./functions.ts";
import { createInvokeOperation } from "./invoke-operation.ts";
import { createPermissionOperations } from "./permission-operations.ts";
import { createUpdates } from "./updates.ts";
import { createUrlOperations } from "./url-operations.ts";
import { createVersionOperations } from "./version-operations.ts";

/** Functions, versions, aliases and URLs; the functions run as processes through a real Runtime API. */
export function createService(context: ServiceContext): Service {
  const functions = openFunctions(context);
  const codeCache = createCodeCache(context);
  const pool = createEnvironmentPool(context, codeCache);
  const invoker = createInvoker(context, functions, pool);
  const updates = createUpdates(context, functions, codeCache, invoker.retire);
  return {
    routes: { [functionUrlPrefix]: createUrlRoute(context, functions, invoker) },
    operations: {
      ...createFunctionOperations(functions, updates, codeCache, invoker.retire),
      ...createVersionOperations(functions, updates),
      ...createAliasOperations(functions),
      ...createPermissionOperations(functions),
      ...createUrlOperations(context, functions),
      Invoke: createInvokeOperation(context, functions, invoker),
    },
    resume() {
      pool.endOrphans();
      const versions = functions.list().flatMap(({ latest, published }) => [latest, ...published]);
      codeCache.deleteOthers(
        versions.flatMap(({ runnable, previous }) => [runnable.code, ...(previous ? [previous.code] : [])]),
      );
      updates.resume();
    },
    stop: pool.stop,
  };
}
