"""News for consignees, by SMS or mail: which milestones are told, in whose words, and never at night."""
