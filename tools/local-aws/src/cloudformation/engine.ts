import type { ServiceContext } from "../service.ts";
import { evaluateCondition, orderResources } from "./intrinsics.ts";
import { checkExports, evaluateOutputs } from "./outputs.ts";
import type { ResourceSteps } from "./resource-steps.ts";
import type { BuildScope } from "./scope.ts";
import type { Operation, Stack, StackResource, Stacks } from "./stack.ts";
import { parseTemplate, type Template } from "./template.ts";

/** Carries out what a change set or a delete asks for, and takes it back where it fails. */
export interface Engine {
  /** Resolves when the stack has settled, for better or worse. */
  run(stackId: string): Promise<void>;
  /** Goes back to what was before, after the process that carried the operation out was killed. */
  recover(stackId: string): Promise<void>;
  /** Tries again to take back what a rollback could not. */
  continueRollback(stackId: string): Promise<void>;
}

export function createEngine(
  services: ServiceContext,
  stacks: Stacks,
  steps: ResourceSteps,
  buildScope: BuildScope,
): Engine {
  const must = (id: string): Stack & { readonly operation: Operation } => {
    const stack = stacks.find(id);
    if (stack?.operation === undefined) throw new Error(`the stack ${id} has nothing to do`);
    return { ...stack, operation: stack.operation };
  };

  async function runChange(id: string): Promise<void> {
    const stack = must(id);
    const { operation, resources: before } = stack;
    const template = parseTemplate(operation.template);
    const imports = new Set<string>();
    const scopeOf = (made: Readonly<Record<string, StackResource>>) => {
      const onImport = (name: string) => imports.add(name);
      return buildScope({ stack, template, parameters: operation.parameters, made, onImport });
    };
    let made: Record<string, StackResource>;
    let outputs: Stack["outputs"];
    try {
      made = await applyAll(id, template, scopeOf);
      outputs = evaluateOutputs(template, scopeOf(made));
      checkExports(stack, outputs, stacks);
    } catch (error) {
      services.log(`${stack.name}: ${String((error as Error).cause ?? error)}`);
      return rollBack(id, (error as Error).message);
    }
    const settled: Partial<Stack> = {
      template: operation.template,
      parameters: operation.parameters,
      tags: operation.tags,
      description: template.Description,
      imports: [...imports],
      resources: made,
      outputs,
    };
    if (operation.kind === "create") {
      stacks.setStatus(must(id), "CREATE_COMPLETE", undefined, { ...settled, operation: undefined });
      return;
    }
    const leftovers = Object.entries(before)
      .reverse()
      .filter(([logicalId, { physicalId, deletionPolicy, updateReplacePolicy, status }]) => {
        const now = made[logicalId];
        if (now === undefined) return deletionPolicy === "Delete";
        return (
          now.physicalId !== physicalId && updateReplacePolicy === "Delete" && status !== "CREATE_FAILED"
        );
      });
    stacks.setStatus(must(id), "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", undefined, {
      ...settled,
      operation: { ...operation, touched: [], leftovers },
    });
    return cleanUp(id);
  }

  /** Brings every resource to what the template says; what is replaced is left for the clean-up. */
  async function applyAll(
    id: string,
    template: Template,
    scopeOf: (made: Record<string, StackResource>) => ReturnType<BuildScope>,
  ): Promise<Record<string, StackResource>> {
    const made: Record<string, StackResource> = {};
    for (const logicalId of orderResources(template)) {
      const definition = template.Resources[logicalId];
      if (definition === undefined) continue;
      const { Condition, Type: type } = definition;
      if (Condition !== undefined && !evaluateCondition(Condition, scopeOf(made))) continue;
      try {
        made[logicalId] = await steps.apply(id, logicalId, definition, scopeOf(made));
      } catch (error) {
        const before = must(id).resources[logicalId];
        const status = before === undefined ? "CREATE_FAILED" : "UPDATE_FAILED";
        const { physicalId = "" } = before ?? {};
        steps.event(id, logicalId, { type, physicalId }, status, (error as Error).message);
        const verb = before === undefined ? "create" : "update";
        throw new Error(`The following resource(s) failed to ${verb}: [${logicalId}].`, { cause: error });
      }
    }
    return made;
  }

  /** The update stands, whatever happens here: what can't be removed stays, as on AWS. */
  async function cleanUp(id: string): Promise<void> {
    const { operation, name } = must(id);
    for (const [logicalId, resource] of operation.leftovers) {
      try {
        await steps.remove(id, logicalId, resource);
      } catch (error) {
        services.log(`${name}: ${logicalId} stays behind: ${(error as Error).message}`);
      }
    }
    stacks.setStatus(must(id), "UPDATE_COMPLETE", undefined, { operation: undefined });
  }

  async function rollBack(id: string, reason: string): Promise<void> {
    const { kind, onFailure } = must(id).operation;
    if (onFailure === "DO_NOTHING") {
      const status = kind === "create" ? "CREATE_FAILED" : "UPDATE_FAILED";
      const resources = { ...findUnfinished(must(id)), ...must(id).resources };
      stacks.setStatus(must(id), status, reason, { operation: undefined, resources });
      return;
    }
    const status = kind === "create" ? "ROLLBACK_IN_PROGRESS" : "UPDATE_ROLLBACK_IN_PROGRESS";
    stacks.setStatus(must(id), status, reason);
    return takeAllBack(id);
  }

  /** Takes back what the operation touched, newest first, to the values that the stack had before it. */
  async function takeAllBack(id: string): Promise<void> {
    const { kind, onFailure, touched } = must(id).operation;
    const failed: string[] = [];
    for (const step of [...touched].reverse()) {
      try {
        await steps.takeBack(id, step);
      } catch (error) {
        services.log(`${must(id).name}: ${step.logicalId}: ${(error as Error).message}`);
        failed.push(step.logicalId);
        continue;
      }
      const { operation, ...stack } = must(id);
      const left = operation.touched.filter(({ logicalId }) => logicalId !== step.logicalId);
      stacks.save({ ...stack, operation: { ...operation, touched: left } });
    }
    if (failed.length > 0) {
      const verb = kind === "create" ? "delete" : "update";
      const reason = `The following resource(s) failed to ${verb}: [${failed.join(", ")}].`;
      stacks.setStatus(must(id), kind === "create" ? "ROLLBACK_FAILED" : "UPDATE_ROLLBACK_FAILED", reason);
    } else if (kind === "update") {
      stacks.setStatus(must(id), "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
      stacks.setStatus(must(id), "UPDATE_ROLLBACK_COMPLETE", undefined, { operation: undefined });
    } else {
      const status = onFailure === "DELETE" ? "DELETE_COMPLETE" : "ROLLBACK_COMPLETE";
      stacks.setStatus(must(id), status, undefined, { operation: undefined });
    }
  }

  async function runDelete(id: string): Promise<void> {
    const failed: string[] = [];
    try {
      checkExports(must(id), [], stacks);
    } catch (error) {
      stacks.setStatus(must(id), "DELETE_FAILED", (error as Error).message, { operation: undefined });
      return;
    }
    for (const [logicalId, resource] of Object.entries(must(id).resources).reverse()) {
      if (resource.deletionPolicy === "Delete") {
        try {
          await steps.remove(id, logicalId, resource);
        } catch (error) {
          services.log(`${must(id).name}: ${logicalId}: ${(error as Error).message}`);
          failed.push(logicalId);
          continue;
        }
      } else {
        steps.event(id, logicalId, resource, "DELETE_SKIPPED");
      }
      const stack = must(id);
      const { [logicalId]: _gone, ...resources } = stack.resources;
      stacks.save({ ...stack, resources });
    }
    if (failed.length > 0) {
      const reason = `The following resource(s) failed to delete: [${failed.join(", ")}].`;
      stacks.setStatus(must(id), "DELETE_FAILED", reason, { operation: undefined });
    } else {
      stacks.setStatus(must(id), "DELETE_COMPLETE", undefined, { operation: undefined, outputs: [] });
    }
  }

  return {
    run: (id) => (must(id).operation.kind === "delete" ? runDelete(id) : runChange(id)),
    async recover(id) {
      const { status, operation } = must(id);
      if (operation.kind === "delete") return runDelete(id);
      if (status === "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") return cleanUp(id);
      return rollBack(id, "Internal Failure: the operation was interrupted");
    },
    async continueRollback(id) {
      stacks.setStatus(must(id), "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated");
      return takeAllBack(id);
    },
  };
}

/** Resources that exist, but were never finished: the next update begins with removing them. */
function findUnfinished({ operation, resources }: Stack): Record<string, StackResource> {
  const unfinished = (operation?.touched ?? []).filter(
    ({ logicalId, before, wanted }) =>
      before === undefined && wanted.physicalId !== "" && resources[logicalId] === undefined,
  );
  return Object.fromEntries(
    unfinished.map(({ logicalId, wanted }) => [logicalId, { ...wanted, status: "CREATE_FAILED" }]),
  );
}
