import { accessKeyId } from "../providers.js";

export const fetchCache = "force-cache";

export default async function Page({ searchParams }) {
  const { source, rejected } = await searchParams;
  return await accessKeyId(source, rejected !== undefined);
}
