// Starts GraphiQL against /graphql, as whoever is signed in.
"use strict";
(() => {
  const fetcher = GraphiQL.createFetcher({ url: "/graphql" });
  const editor = React.createElement(GraphiQL, {
    fetcher,
    defaultEditorToolsVisibility: "variables",
    defaultQuery: `# Whatever the pages of this server can do, you can do here.
{
  viewer { login }
  packages(first: 10, orderBy: [{ field: UPDATED_AT, direction: DESC }]) {
    edges { node { type name latest { version } } }
  }
}
`,
  });
  ReactDOM.createRoot(document.getElementById("graphiql")).render(editor);
})();
