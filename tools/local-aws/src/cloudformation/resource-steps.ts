import type { ServiceContext } from "../service.ts";
import { evaluate, type Scope } from "./intrinsics.ts";
import type { ResourceTypes } from "./resources/index.ts";
import type { Made, ResourceContext } from "./resources/resource-type.ts";
import type { Stack, StackResource, Stacks, Touched } from "./stack.ts";
import type { TemplateResource } from "./template.ts";

/** What an operation does to one resource. Every step is on disk before the next begins. */
export interface ResourceSteps {
  /** Makes or changes a resource, as its definition now says. Gives what it is afterwards. */
  apply(
    stackId: string,
    logicalId: string,
    definition: TemplateResource,
    scope: Scope,
  ): Promise<StackResource>;
  remove(stackId: string, logicalId: string, resource: StackResource): Promise<void>;
  /** Undoes what `apply` did, or began to do. */
  takeBack(stackId: string, touched: Touched): Promise<void>;
  event(
    stackId: string,
    logicalId: string,
    resource: Pick<StackResource, "type" | "physicalId">,
    status: string,
    reason?: string,
  ): void;
}

const replacing = "Requested update requires the creation of a new physical resource; hence creating one.";

export function createResourceSteps(
  services: ServiceContext,
  stacks: Stacks,
  types: ResourceTypes,
): ResourceSteps {
  const must = (id: string): Stack => {
    const stack = stacks.find(id);
    if (stack === undefined) throw new Error(`the stack ${id} is gone`);
    return stack;
  };

  const contextOf = (
    { name, id }: Stack,
    logicalId: string,
    type: string,
    claim: ResourceContext["claim"],
  ): ResourceContext => ({ services, stackName: name, stackId: id, logicalId, type, claim });

  const claimsNothing = (): void => {};

  const event: ResourceSteps["event"] = (id, logicalId, { type, physicalId }, status, reason) =>
    stacks.addEvent(must(id), {
      LogicalResourceId: logicalId,
      PhysicalResourceId: physicalId,
      ResourceType: type,
      ResourceStatus: status,
      ResourceStatusReason: reason,
    });

  /** Notes how far a resource has come, and what it is by now. */
  function note(id: string, touched: Touched, now?: StackResource): void {
    const stack = must(id);
    const { operation, resources } = stack;
    if (operation === undefined) throw new Error(`the stack ${stack.name} has nothing to do`);
    const others = operation.touched.filter(({ logicalId }) => logicalId !== touched.logicalId);
    stacks.save({
      ...stack,
      operation: { ...operation, touched: [...others, touched] },
      resources: now === undefined ? resources : { ...resources, [touched.logicalId]: now },
    });
  }

  async function create(id: string, touched: Touched): Promise<StackResource> {
    const { logicalId, before, wanted } = touched;
    const { type } = wanted;
    if (before === undefined) event(id, logicalId, wanted, "CREATE_IN_PROGRESS");
    else event(id, logicalId, before, "UPDATE_IN_PROGRESS", replacing);
    note(id, touched);
    const claim = (physicalId: string): void => {
      note(id, { ...touched, wanted: { ...wanted, physicalId } });
      const status = before === undefined ? "CREATE_IN_PROGRESS" : "UPDATE_IN_PROGRESS";
      event(id, logicalId, { type, physicalId }, status, "Resource creation Initiated");
    };
    const made = await types(type).create(
      wanted.properties as never,
      contextOf(must(id), logicalId, type, claim),
    );
    return finish(id, touched, made, before === undefined ? "CREATE_COMPLETE" : "UPDATE_COMPLETE");
  }

  function finish(id: string, touched: Touched, made: Made, status: string): StackResource {
    const now: StackResource = { ...touched.wanted, ...made, status, updatedAt: services.now() };
    note(id, { ...touched, wanted: now }, now);
    event(id, touched.logicalId, now, status);
    return now;
  }

  async function update(id: string, touched: Touched, before: StackResource): Promise<StackResource> {
    const { logicalId, wanted } = touched;
    event(id, logicalId, before, "UPDATE_IN_PROGRESS");
    note(id, touched);
    const context = contextOf(must(id), logicalId, wanted.type, claimsNothing);
    const { update: change } = types(wanted.type);
    const made = await change?.(
      before.physicalId,
      wanted.properties as never,
      before.properties as never,
      context,
    );
    return finish(id, touched, made ?? before, "UPDATE_COMPLETE");
  }

  async function remove(id: string, logicalId: string, resource: StackResource): Promise<void> {
    event(id, logicalId, resource, "DELETE_IN_PROGRESS");
    const { type, physicalId, properties } = resource;
    try {
      await types(type).delete(
        physicalId,
        properties as never,
        contextOf(must(id), logicalId, type, claimsNothing),
      );
    } catch (error) {
      event(id, logicalId, resource, "DELETE_FAILED", (error as Error).message);
      throw error;
    }
    event(id, logicalId, resource, "DELETE_COMPLETE");
  }

  /** The stack's resource of that name is again what it was before; `undefined` for none. */
  function restore(id: string, logicalId: string, before: StackResource | undefined): void {
    const stack = must(id);
    const { [logicalId]: _now, ...others } = stack.resources;
    const resources = before === undefined ? others : { ...stack.resources, [logicalId]: before };
    stacks.save({ ...stack, resources });
  }

  async function revert(id: string, { logicalId, wanted }: Touched, before: StackResource): Promise<void> {
    const { type } = before;
    event(id, logicalId, before, "UPDATE_IN_PROGRESS");
    const context = contextOf(must(id), logicalId, type, claimsNothing);
    const physicalId = wanted.physicalId || before.physicalId;
    const made = await types(type).update?.(
      physicalId,
      before.properties as never,
      wanted.properties as never,
      context,
    );
    const restored = { ...before, ...made };
    restore(id, logicalId, restored);
    event(id, logicalId, restored, "UPDATE_COMPLETE");
    if (physicalId !== restored.physicalId) await remove(id, logicalId, { ...wanted, physicalId });
  }

  return {
    event,
    remove,
    async apply(id, logicalId, definition, scope) {
      const stack = must(id);
      const { Type: type, DeletionPolicy = "Delete", UpdateReplacePolicy = "Delete" } = definition;
      const properties = (evaluate(definition.Properties ?? {}, scope) ?? {}) as Record<string, unknown>;
      const wanted: StackResource = {
        type,
        physicalId: "",
        properties,
        attributes: {},
        deletionPolicy: DeletionPolicy,
        updateReplacePolicy: UpdateReplacePolicy,
        status: "",
        updatedAt: services.now(),
      };
      const before = stack.resources[logicalId];
      if (before?.status === "CREATE_FAILED") {
        await remove(id, logicalId, before);
        restore(id, logicalId, undefined);
        return create(id, { logicalId, change: "create", wanted });
      }
      if (before === undefined) return create(id, { logicalId, change: "create", wanted });
      const changed = findChangedProperties(before.properties, properties);
      if (changed.length === 0) {
        return { ...before, deletionPolicy: DeletionPolicy, updateReplacePolicy: UpdateReplacePolicy };
      }
      const { update: canChange, replacedBy } = types(type);
      if (canChange === undefined || changed.some((name) => replacedBy.includes(name))) {
        return create(id, { logicalId, change: "create", before, wanted });
      }
      return update(id, { logicalId, change: "update", before, wanted }, before);
    },
    async takeBack(id, touched) {
      const { logicalId, change, before, wanted } = touched;
      if (change === "update" && before !== undefined) return revert(id, touched, before);
      // A name that was taken already, say: there is nothing of ours to remove.
      if (wanted.physicalId === "") return;
      if (before === undefined && wanted.deletionPolicy === "Retain") {
        event(id, logicalId, wanted, "DELETE_SKIPPED");
        return;
      }
      await remove(id, logicalId, wanted);
      restore(id, logicalId, before);
    },
  };
}

export function findChangedProperties(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
}
