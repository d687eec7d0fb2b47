// Package queries holds the GraphQL operations of the pages: one file a page, and generated.go with a function for each
// operation. What several pages ask for is a fragment in shared.graphql.
package queries
