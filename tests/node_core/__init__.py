"""Stories, tables and properties of BlockNode and the parts it is made of."""
