package main

// One list, because the order matters: the GraphQL schema comes from the data
// model, the typed operations of the pages from the schema. The style sheet
// and the icons are built where their users are declared, in web/ui.

//go:generate go tool entgen
//go:generate go tool gqlgen generate
//go:generate go tool genqlient web/genqlient.yaml
//go:generate go tool templ generate -path web
