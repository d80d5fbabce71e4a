/** What commands may use of the domains. Filled by the composition root; one line a domain. */
export interface Services {
}
