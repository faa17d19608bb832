"""What each stage takes from the scenario and from the stages before it."""

from deploy_opt.stages.collecting import collecting as collecting
from deploy_opt.stages.forecasting import count_demand as count_demand
from deploy_opt.stages.forecasting import covariates_from as covariates_from
from deploy_opt.stages.forecasting import forecast_demand as forecast_demand
from deploy_opt.stages.forecasting import read_covariates as read_covariates
from deploy_opt.stages.forecasting import supposed_over as supposed_over
from deploy_opt.stages.forecasting import where_people_live as where_people_live
from deploy_opt.stages.forecasting import window_words as window_words
from deploy_opt.stages.ground import lay_ground as lay_ground
from deploy_opt.stages.ground import read_places as read_places
from deploy_opt.stages.kept import Calls as Calls
from deploy_opt.stages.kept import Demand as Demand
from deploy_opt.stages.kept import Ground as Ground
from deploy_opt.stages.on_record import recorded_in_time as recorded_in_time
from deploy_opt.stages.prevention import prevention_question as prevention_question
from deploy_opt.stages.records import locate as locate
from deploy_opt.stages.records import make_areas as make_areas
from deploy_opt.stages.records import read_calls as read_calls
from deploy_opt.stages.records import read_roads as read_roads
from deploy_opt.stages.responders import answer_by_tier as answer_by_tier
from deploy_opt.stages.staffing import ambulance_staff as ambulance_staff
