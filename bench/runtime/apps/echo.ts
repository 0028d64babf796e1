/** The least that a handler can do: what is measured is the runtime. */
export const handler = async (event: unknown) => event;
