// What a call came to, as plain data, and how a program prints it.
import process from "node:process";

export async function resultOf(call) {
  try {
    const { source } = await call();
    return { source };
  } catch (error) {
    const { name, code, message, hint } = error;
    return { code: code ?? name, message, hint };
  }
}

export function print(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
