import { accessKeyId, bare } from "../providers.js";

export const fetchCache = "force-cache";

export async function GET(request) {
  const { searchParams } = new URL(request.url);
  if (searchParams.has("bare")) return new Response(await bare());
  return new Response(await accessKeyId(searchParams.get("source"), searchParams.has("rejected")));
}
