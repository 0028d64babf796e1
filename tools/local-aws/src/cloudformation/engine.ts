import type { ServiceContext } from "../service.ts";
import { evaluate, evaluateCondition, orderResources, type Scope } from "./intrinsics.ts";
import { isCustom, type ResourceTypes } from "./resources/index.ts";
import type { ResourceContext } from "./resources/resource-type.ts";
import type { Operation, Stack, StackResource, Stacks, Touched } from "./stack.ts";
import { parseTemplate, type Template } from "./template.ts";

/** Carries out what a change set or a delete asks for, and takes it back where it fails. */
export interface Engine {
  /** Resolves when the stack has settled, for better or worse. */
  run(stackId: string): Promise<void>;
  /** Goes back to what was before, after the process that carried the operation out was killed. */
  recover(stackId: string): Promise<void>;
  buildScope(
    stack: Stack,
    template: Template,
    parameters: Readonly<Record<string, unknown>>,
    made: Readonly<Record<string, StackResource>>,
  ): Scope;
}

export function createEngine(services: ServiceContext, stacks: Stacks, types: ResourceTypes): Engine {
  const contextOf = (stack: Stack, logicalId: string, type: string): ResourceContext => ({
    services,
    stackName: stack.name,
    stackId: stack.id,
    logicalId,
    type,
  });

  function buildScope(
    stack: Stack,
    template: Template,
    parameters: Readonly<Record<string, unknown>>,
    made: Readonly<Record<string, StackResource>>,
  ): Scope {
    const mustBeMade = (logicalId: string): StackResource => {
      const resource = made[logicalId];
      if (resource === undefined) throw new Error(`${logicalId} does not exist yet`);
      return resource;
    };
    return {
      template,
      parameters,
      pseudo: {
        "AWS::AccountId": services.accountId,
        "AWS::Region": services.region,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackName": stack.name,
        "AWS::StackId": stack.id,
        "AWS::NotificationARNs": [],
      },
      physicalId: (logicalId) => mustBeMade(logicalId).physicalId,
      attribute: (logicalId, name) => {
        const { attributes, type } = mustBeMade(logicalId);
        if (!Object.hasOwn(attributes, name))
          throw new Error(`Requested attribute ${name} does not exist in schema for ${type}`);
        return attributes[name];
      },
      importValue(name) {
        const found = stacks
          .list()
          .flatMap(({ outputs }) => outputs)
          .find(({ ExportName }) => ExportName === name);
        if (found === undefined) throw new Error(`No export named ${name} found.`);
        return found.OutputValue;
      },
    };
  }

  const must = (id: string): Stack => {
    const stack = stacks.find(id);
    if (stack?.operation === undefined) throw new Error(`the stack ${id} has nothing to do`);
    return stack;
  };

  const setTouched = (id: string, touched: Touched): void => {
    const stack = must(id);
    const operation = stack.operation as Operation;
    const others = operation.touched.filter(({ logicalId }) => logicalId !== touched.logicalId);
    stacks.save({ ...stack, operation: { ...operation, touched: [...others, touched] } });
  };

  const event = (
    id: string,
    logicalId: string,
    type: string,
    physicalId: string,
    status: string,
    reason?: string,
  ): void =>
    stacks.addEvent(must(id), {
      LogicalResourceId: logicalId,
      PhysicalResourceId: physicalId,
      ResourceType: type,
      ResourceStatus: status,
      ResourceStatusReason: reason,
    });

  /** Makes or changes one resource, as its definition now says. Gives what it is afterwards. */
  async function apply(
    id: string,
    logicalId: string,
    template: Template,
    scope: Scope,
  ): Promise<StackResource> {
    const stack = must(id);
    const definition = template.Resources[logicalId];
    if (definition === undefined) throw new Error(`${logicalId} is not in the template`);
    const { Type: type, DeletionPolicy: deletionPolicy = "Delete" } = definition;
    const properties = (evaluate(definition.Properties ?? {}, scope) ?? {}) as Record<string, unknown>;
    const before = stack.resources[logicalId];
    const handler = types(type);
    const context = contextOf(stack, logicalId, type);
    const finish = (
      made: { physicalId: string; attributes: Readonly<Record<string, unknown>> },
      status: string,
    ): StackResource => {
      const after: StackResource = {
        type,
        ...made,
        properties,
        deletionPolicy,
        status,
        updatedAt: services.now(),
      };
      setTouched(id, { logicalId, type, before, after });
      event(id, logicalId, type, made.physicalId, status);
      return after;
    };

    if (before !== undefined && before.type === type) {
      const changed = changedProperties(before.properties, properties);
      if (changed.length === 0) return { ...before, deletionPolicy };
      const replaces =
        handler.update === undefined || changed.some((name) => handler.replacedBy.includes(name));
      if (!replaces && handler.update !== undefined) {
        event(id, logicalId, type, before.physicalId, "UPDATE_IN_PROGRESS");
        setTouched(id, { logicalId, type, before });
        const made = await handler.update(
          before.physicalId,
          properties as never,
          before.properties as never,
          context,
        );
        return finish(made, "UPDATE_COMPLETE");
      }
      event(
        id,
        logicalId,
        type,
        before.physicalId,
        "UPDATE_IN_PROGRESS",
        "Requested update requires the creation of a new physical resource; hence creating one.",
      );
    } else {
      event(id, logicalId, type, "", "CREATE_IN_PROGRESS");
    }
    const expectedId = handler.name?.(properties as never, context);
    setTouched(id, { logicalId, type, before, expectedId });
    const made = await handler.create(properties as never, context);
    return finish(made, before === undefined ? "CREATE_COMPLETE" : "UPDATE_COMPLETE");
  }

  async function remove(id: string, logicalId: string, resource: StackResource): Promise<void> {
    event(id, logicalId, resource.type, resource.physicalId, "DELETE_IN_PROGRESS");
    try {
      await types(resource.type).delete(
        resource.physicalId,
        resource.properties as never,
        contextOf(must(id), logicalId, resource.type),
      );
    } catch (error) {
      event(id, logicalId, resource.type, resource.physicalId, "DELETE_FAILED", (error as Error).message);
      throw error;
    }
    event(id, logicalId, resource.type, resource.physicalId, "DELETE_COMPLETE");
  }

  /** Brings every resource to what the template says; what is new or replaced is left for the clean-up. */
  async function applyAll(
    id: string,
    template: Template,
    scope: (made: Record<string, StackResource>) => Scope,
  ) {
    const made: Record<string, StackResource> = {};
    for (const logicalId of orderResources(template)) {
      const { Condition } = template.Resources[logicalId] ?? {};
      if (Condition !== undefined && !evaluateCondition(Condition, scope(made))) continue;
      try {
        made[logicalId] = await apply(id, logicalId, template, scope(made));
      } catch (error) {
        const reason = (error as Error).message;
        const { Type } = template.Resources[logicalId] ?? { Type: "" };
        const before = must(id).resources[logicalId];
        event(
          id,
          logicalId,
          Type,
          before?.physicalId ?? "",
          before ? "UPDATE_FAILED" : "CREATE_FAILED",
          reason,
        );
        throw new Error(
          `The following resource(s) failed to ${before ? "update" : "create"}: [${logicalId}].`,
          { cause: error },
        );
      }
    }
    return made;
  }

  async function runChange(stack: Stack, operation: Operation): Promise<void> {
    const { id } = stack;
    const creates = operation.kind === "create";
    const template = parseTemplate(operation.template);
    const scope = (made: Readonly<Record<string, StackResource>>) =>
      buildScope(stack, template, operation.parameters.resolved, made);
    let made: Record<string, StackResource>;
    let outputs: Stack["outputs"];
    try {
      made = await applyAll(id, template, scope);
      outputs = evaluateOutputs(template, scope(made));
    } catch (error) {
      services.log(`${stack.name}: ${String((error as Error).cause ?? error)}`);
      return rollBack(id, (error as Error).message);
    }
    const settled = {
      template: operation.template,
      parameters: operation.parameters,
      tags: operation.tags,
      description: template.Description,
      resources: made,
      outputs,
    };
    if (creates) {
      stacks.setStatus(must(id), "CREATE_COMPLETE", undefined, { ...settled, operation: undefined });
      return;
    }
    // From here on the update stands: what is no longer needed goes, and if it can't, it stays.
    stacks.setStatus(must(id), "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", undefined, settled);
    for (const [logicalId, before] of Object.entries(stack.resources).reverse()) {
      const now = made[logicalId];
      if (now?.physicalId === before.physicalId || before.deletionPolicy !== "Delete") continue;
      await remove(id, logicalId, before).catch((error: Error) =>
        services.log(`${stack.name}: ${logicalId}: ${error.message}`),
      );
    }
    stacks.setStatus(must(id), "UPDATE_COMPLETE", undefined, { operation: undefined });
  }

  /** Takes back what the operation touched, newest first, to the values that the stack had before it. */
  async function rollBack(id: string, reason: string): Promise<void> {
    const { operation } = must(id);
    if (operation === undefined) return;
    const creates = operation.kind === "create";
    if (operation.onFailure === "DO_NOTHING") {
      stacks.setStatus(must(id), creates ? "CREATE_FAILED" : "UPDATE_FAILED", reason, {
        operation: undefined,
        resources: afterAll(must(id)),
      });
      return;
    }
    stacks.setStatus(must(id), creates ? "ROLLBACK_IN_PROGRESS" : "UPDATE_ROLLBACK_IN_PROGRESS", reason);
    const failures: string[] = [];
    const kept: Record<string, StackResource> = {};
    for (const touched of [...operation.touched].reverse()) {
      await takeBack(id, touched, kept).catch((error: Error) =>
        failures.push(`[${touched.logicalId}]: ${error.message}`),
      );
    }
    if (failures.length > 0) {
      const status = creates ? "ROLLBACK_FAILED" : "UPDATE_ROLLBACK_FAILED";
      stacks.setStatus(must(id), status, `The following resource(s) failed: ${failures.join("; ")}`, {
        operation: undefined,
      });
      return;
    }
    if (!creates) {
      stacks.setStatus(must(id), "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS");
      stacks.setStatus(must(id), "UPDATE_ROLLBACK_COMPLETE", undefined, { operation: undefined });
    } else if (operation.onFailure === "DELETE") {
      stacks.setStatus(must(id), "DELETE_COMPLETE", undefined, { operation: undefined, resources: {} });
    } else {
      stacks.setStatus(must(id), "ROLLBACK_COMPLETE", undefined, { operation: undefined, resources: kept });
    }
  }

  async function takeBack(
    id: string,
    { logicalId, type, before, after, expectedId }: Touched,
    kept: Record<string, StackResource>,
  ): Promise<void> {
    const stack = must(id);
    const context = contextOf(stack, logicalId, type);
    const handler = types(type);
    if (
      before !== undefined &&
      expectedId === undefined &&
      (after === undefined || after.physicalId === before.physicalId)
    ) {
      event(id, logicalId, type, before.physicalId, "UPDATE_IN_PROGRESS");
      const definition = after?.properties ?? {};
      const made = await handler.update?.(
        before.physicalId,
        before.properties as never,
        definition as never,
        context,
      );
      const restored = { ...before, ...made };
      stacks.save({ ...must(id), resources: { ...must(id).resources, [logicalId]: restored } });
      event(id, logicalId, type, before.physicalId, "UPDATE_COMPLETE");
      return;
    }
    if (after !== undefined) {
      if (before === undefined && after.deletionPolicy === "Retain") {
        event(id, logicalId, type, after.physicalId, "DELETE_SKIPPED");
        kept[logicalId] = after;
        return;
      }
      await remove(id, logicalId, after);
    } else if (expectedId !== undefined && expectedId !== before?.physicalId && !isCustom(type)) {
      const properties = halfMade(stack, logicalId);
      await handler.delete(expectedId, properties as never, context);
    }
  }

  /** Properties of a resource whose making was cut off, as far as they can be known. */
  function halfMade(stack: Stack, logicalId: string): Record<string, unknown> {
    const template = parseTemplate(stack.operation?.template ?? "{}");
    const scope = buildScope(stack, template, stack.operation?.parameters.resolved ?? {}, {
      ...stack.resources,
      ...afterAll(stack),
    });
    return evaluate(template.Resources[logicalId]?.Properties ?? {}, scope) as Record<string, unknown>;
  }

  async function runDelete(stack: Stack): Promise<void> {
    const failures: string[] = [];
    for (const [logicalId, resource] of Object.entries(stack.resources).reverse()) {
      if (resource.deletionPolicy !== "Delete" && resource.deletionPolicy !== "RetainExceptOnCreate") {
        event(stack.id, logicalId, resource.type, resource.physicalId, "DELETE_SKIPPED");
      } else if (resource.deletionPolicy === "RetainExceptOnCreate" && stack.status !== "ROLLBACK_COMPLETE") {
        event(stack.id, logicalId, resource.type, resource.physicalId, "DELETE_SKIPPED");
      } else {
        await remove(stack.id, logicalId, resource).catch((_error: Error) => failures.push(logicalId));
        if (failures.includes(logicalId)) continue;
      }
      const { [logicalId]: _gone, ...resources } = must(stack.id).resources;
      stacks.save({ ...must(stack.id), resources });
    }
    if (failures.length > 0) {
      stacks.setStatus(
        must(stack.id),
        "DELETE_FAILED",
        `The following resource(s) failed to delete: [${failures.join(", ")}].`,
        { operation: undefined },
      );
      return;
    }
    stacks.setStatus(must(stack.id), "DELETE_COMPLETE", undefined, { operation: undefined });
  }

  return {
    buildScope,
    async run(stackId) {
      const stack = must(stackId);
      if (stack.operation?.kind === "delete") return runDelete(stack);
      if (stack.operation !== undefined) return runChange(stack, stack.operation);
    },
    async recover(stackId) {
      const stack = must(stackId);
      if (stack.operation?.kind === "delete") return runDelete(stack);
      if (stack.status === "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") {
        stacks.setStatus(stack, "UPDATE_COMPLETE", undefined, { operation: undefined });
        return;
      }
      return rollBack(stackId, "Internal Failure: the operation was interrupted");
    },
  };
}

function afterAll({ resources, operation }: Stack): Record<string, StackResource> {
  const touched = (operation?.touched ?? []).flatMap(({ logicalId, after }) =>
    after === undefined ? [] : [[logicalId, after] as const],
  );
  return { ...resources, ...Object.fromEntries(touched) };
}

function changedProperties(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
}

function evaluateOutputs(template: Template, scope: Scope): Stack["outputs"] {
  return Object.entries(template.Outputs ?? {}).flatMap(
    ([OutputKey, { Value, Description, Condition, Export }]) => {
      if (Condition !== undefined && !evaluateCondition(Condition, scope)) return [];
      const ExportName = Export && String(evaluate(Export.Name, scope));
      return [{ OutputKey, OutputValue: String(evaluate(Value, scope)), Description, ExportName }];
    },
  );
}
