import { accessKeyId } from "../providers.js";

export const fetchCache = "only-cache";

export async function GET(request) {
  const { searchParams } = new URL(request.url);
  return new Response(await accessKeyId(searchParams.get("source"), searchParams.has("rejected")));
}
