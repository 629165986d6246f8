// Retrieves from IMDS for each request, as a worker does.
import { fromInstanceMetadata } from "@rolecreds/aws";

export default {
  async fetch(_, { ENDPOINT }) {
    try {
      const { source } = await fromInstanceMetadata({ endpoint: ENDPOINT, maxRetries: 0 })();
      return new Response(source);
    } catch ({ code, message }) {
      return new Response(`${code}: ${message}`);
    }
  },
};
