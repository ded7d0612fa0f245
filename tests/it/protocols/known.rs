//! The strategies of the crate in random circumstances, on which all engines must
//! agree: variants, bugs included, settings, scopes and menus are drawn.

use quiescence::catalogue::Registry;
use quiescence::hunt::served;

use super::compare::{Sample, scope, setting};
use super::dumb::Object;
use super::strategy::Choices;

/// The most states of one.
const STATES_MAX: usize = 1_500;

/// A strategy in circumstances that these bytes determine.
pub fn sample(bytes: &[u8]) -> Sample {
    let mut dice = Choices::of(bytes);
    let registry = Registry::standard();
    let families = registry.families();
    let family = &families[usize::from(dice.below(u8::try_from(families.len()).expect("few")))];
    let mut name = family.name.to_owned();
    for (at, parameter) in family.parameters.iter().enumerate() {
        let value = usize::from(dice.below(u8::try_from(parameter.values.len()).expect("few")));
        let separator = if at == 0 { ':' } else { ',' };
        name += &format!("{separator}{}={}", parameter.name, parameter.values[value]);
    }
    let protocol = registry.parse(&name).expect("it is registered").remove(0);
    let (setting, scope) = (setting(&mut dice), scope(&mut dice));
    let datatype = registry.datatype_of(&*protocol).expect("it is known");
    let arguments = 1 + usize::from(dice.below(2));
    let menu = served(&*protocol, setting.nodes, datatype, arguments);
    let object = Object { menu, datatype };
    Sample { protocol, setting, scope, object, limit: STATES_MAX, words: name }
}
