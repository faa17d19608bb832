"""The classic location problems, each solved exactly, behind `deploy_opt.plan.locate.locate`."""
