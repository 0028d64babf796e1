import type { Service, ServiceContext } from "../service.ts";
import { createChangeSetOperations } from "./change-set-operations.ts";
import { openChangeSets } from "./change-sets.ts";
import { createEngine } from "./engine.ts";
import { createResourceSteps } from "./resource-steps.ts";
import { createCustomResources, responsePrefix } from "./resources/custom.ts";
import { createResourceTypes } from "./resources/index.ts";
import { createScopes } from "./scope.ts";
import { isBusy, type Operation, openStacks, type Stack } from "./stack.ts";
import { createStackOperations } from "./stack-operations.ts";

/** Stacks by change sets: what the CDK CLI asks for. */
export function createService(services: ServiceContext): Service {
  const stacks = openStacks(services);
  const changeSets = openChangeSets(services.store, stacks);
  const custom = createCustomResources(services);
  const types = createResourceTypes(custom.type);
  const buildScope = createScopes(services, stacks);
  const engine = createEngine(services, stacks, createResourceSteps(services, stacks, types), buildScope);

  function start(stack: Stack, operation: Operation, status: string, changes: Partial<Stack>): void {
    stacks.setStatus({ ...stack, ...changes, operation }, status, "User Initiated");
    services.keepAlive(engine.run(stack.id));
  }

  return {
    routes: { [responsePrefix]: custom.route },
    resume() {
      for (const stack of stacks.list().filter(isBusy)) services.keepAlive(engine.recover(stack.id));
    },
    operations: {
      ...createChangeSetOperations({ services, stacks, changeSets, types, buildScope, start }),
      ...createStackOperations({ services, stacks, changeSets, engine, start }),
    },
  };
}
