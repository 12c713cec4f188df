//! Variables, registers, parameters and the directives of a function.

use super::lexer::Kind;
use super::parser::Parser;
use super::{Datum, FunctionSource, Operand, Param, Registers, Scope, Space, Type, Variable};
use crate::error::ParseError;

/// The largest variable that a text may declare: a text must not be able to exhaust the host.
const LARGEST_VARIABLE: u64 = 64 << 20;
/// The most registers that one directive may declare.
const MOST_REGISTERS: u32 = 1 << 20;

impl Parser<'_> {
    /// `.maxntid 128, 1, 1`, `.reqntid`, `.minnctapersm` and their like, between a header and its brace.
    pub fn tuning(&mut self, function: &mut FunctionSource) -> Result<(), ParseError> {
        while self.peek().kind == Kind::Word {
            match self.next().text {
                ".reqntid" => function.required_block = Some(self.extents()?),
                ".maxntid" => {
                    let extents = self.extents()?;
                    let product = extents.iter().try_fold(1_u64, |p, &n| p.checked_mul(n.into()));
                    function.largest_block = product;
                }
                ".minnctapersm" | ".maxnctapersm" | ".maxnreg" => {
                    self.extents()?;
                }
                ".noreturn" => {}
                ".pragma" => {
                    while self.peek().kind == Kind::Quoted || self.is_mark(",") {
                        self.next();
                    }
                    self.expect(";")?;
                }
                other => return Err(self.wrong(format!("unknown directive `{other}`"))),
            }
        }
        Ok(())
    }

    fn extents(&mut self) -> Result<[u32; 3], ParseError> {
        let mut extents = [1; 3];
        extents[0] = self.small("extent")?;
        for extent in &mut extents[1..] {
            if !self.accept(",") {
                break;
            }
            *extent = self.small("extent")?;
        }
        Ok(extents)
    }

    pub fn params(&mut self) -> Result<Vec<Param>, ParseError> {
        self.expect("(")?;
        let mut params = Vec::new();
        if self.accept(")") {
            return Ok(params);
        }
        loop {
            let register = match self.word("`.param` or `.reg`")? {
                ".param" => false,
                ".reg" => true,
                other => {
                    return Err(self.wrong(format!("expected `.param` or `.reg`, found `{other}`")));
                }
            };
            let variable = self.variable_after_space(Space::Param, false)?;
            params.push(Param { variable, register });
            if self.accept(")") {
                return Ok(params);
            }
            self.expect(",")?;
        }
    }

    /// A declaration or a directive inside a function; false where an instruction or a label stands.
    pub fn declaration(&mut self, scope: &mut Scope) -> Result<bool, ParseError> {
        match self.peek().text {
            ".reg" => {
                self.next();
                self.registers(scope)?;
            }
            ".loc" | ".file" => self.skip_line(),
            ".pragma" => self.skip_pragma()?,
            ".local" | ".shared" | ".param" | ".extern" => {
                let external = self.accept_word(".extern");
                let variables = self.variables(external)?;
                scope.variables.extend(variables);
            }
            text if text.starts_with('.') => {
                return Err(self.wrong(format!("unknown directive `{text}`")));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn registers(&mut self, scope: &mut Scope) -> Result<(), ParseError> {
        let element = self.element_type()?;
        loop {
            let name = self.word("the name of a register")?.to_owned();
            let count = if self.accept("<") {
                let count = self.small("a count of registers")?;
                self.expect(">")?;
                if count > MOST_REGISTERS {
                    return Err(self.wrong(format!("{count} registers: at most {MOST_REGISTERS}")));
                }
                Some(count)
            } else {
                None
            };
            scope.registers.push(Registers { name, count, element });
            if !self.accept(",") {
                return self.expect(";");
            }
        }
    }

    /// One directive that declares variables of one state space.
    pub fn variables(&mut self, external: bool) -> Result<Vec<Variable>, ParseError> {
        let space = match self.peek().text {
            ".global" => Space::Global,
            ".const" => Space::Const,
            ".shared" => Space::Shared,
            ".local" => Space::Local,
            ".param" => Space::Param,
            _ => return Err(self.wrong(format!("unknown directive {}", self.found()))),
        };
        self.next();
        let mut variables = vec![self.variable_after_space(space, external)?];
        while self.accept(",") {
            let first = &variables[0];
            let (align, element) = (first.align, first.element);
            variables.push(self.variable_named(space, align, element, external)?);
        }
        self.expect(";")?;
        Ok(variables)
    }

    fn element_type(&mut self) -> Result<Type, ParseError> {
        let word = self.word("a type")?;
        word.strip_prefix('.')
            .and_then(Type::from_suffix)
            .ok_or_else(|| self.wrong(format!("unknown type or attribute `{word}`")))
    }

    fn variable_after_space(
        &mut self,
        space: Space,
        external: bool,
    ) -> Result<Variable, ParseError> {
        let mut align = self.alignment()?;
        let mut lanes = 1;
        if self.accept_word(".v2") {
            lanes = 2;
        } else if self.accept_word(".v4") {
            lanes = 4;
        }
        let element = self.element_type()?;
        if self.accept_word(".ptr") {
            // What the pointer points to is a promise to the optimiser; accesses are checked as they happen.
            for space in [".global", ".const", ".shared", ".local"] {
                self.accept_word(space);
            }
            self.alignment()?;
        }
        align = align.max(self.alignment()?).max(element.bytes() * lanes);
        let mut variable = self.variable_named(space, align, element, external)?;
        variable.bytes = variable.bytes.saturating_mul(lanes.into());
        self.sized(variable)
    }

    /// `.align n`, 0 where it is not there.
    fn alignment(&mut self) -> Result<u32, ParseError> {
        if !self.accept_word(".align") {
            return Ok(0);
        }
        let align = self.small("alignment")?;
        if align.is_power_of_two() && align <= 4096 {
            Ok(align)
        } else {
            Err(self.wrong(format!("alignment {align} is not a power of two up to 4096")))
        }
    }

    fn sized(&self, variable: Variable) -> Result<Variable, ParseError> {
        if variable.bytes > LARGEST_VARIABLE {
            return Err(
                self.wrong(format!("`{}` is larger than {LARGEST_VARIABLE} bytes", variable.name))
            );
        }
        Ok(variable)
    }

    fn variable_named(
        &mut self,
        space: Space,
        align: u32,
        element: Type,
        external: bool,
    ) -> Result<Variable, ParseError> {
        let line = self.peek().line;
        let name = self.word("the name of a variable")?.to_owned();
        let (count, unsized_array) = self.array()?;
        let data = if self.accept("=") { self.data()? } else { Vec::new() };
        let elements = if unsized_array { Some(data.len() as u64) } else { count };
        let bytes =
            elements.and_then(|n| n.checked_mul(element.bytes().into())).unwrap_or(u64::MAX);
        if data.len() as u64 > elements.unwrap_or(0) {
            return Err(self.wrong(format!("`{name}` has more initial values than elements")));
        }
        if external && space != Space::Shared {
            return Err(self.wrong(format!("`{name}` is defined in another module")));
        }
        let dynamic = unsized_array && space == Space::Shared;
        self.sized(Variable {
            name,
            space,
            align: align.max(element.bytes()),
            element,
            bytes,
            dynamic,
            data,
            line,
        })
    }

    /// `[4][2]`: the number of elements, and whether an extent was left open.
    fn array(&mut self) -> Result<(Option<u64>, bool), ParseError> {
        let (mut count, mut is_open) = (Some(1_u64), false);
        while self.accept("[") {
            if self.accept("]") {
                is_open = true;
                continue;
            }
            let extent = self.integer()?;
            count = count.and_then(|n| n.checked_mul(extent));
            self.expect("]")?;
        }
        Ok((count, is_open))
    }

    /// `7` or `{1, 2, {3, 4}}`, flattened.
    fn data(&mut self) -> Result<Vec<Datum>, ParseError> {
        let mut data = Vec::new();
        let mut depth = 0_u32;
        loop {
            if self.accept("{") {
                depth += 1;
                continue;
            }
            if !self.is_mark("}") {
                data.push(self.datum()?);
            }
            while depth > 0 && self.accept("}") {
                depth -= 1;
            }
            if depth == 0 {
                return Ok(data);
            }
            self.expect(",")?;
        }
    }

    fn datum(&mut self) -> Result<Datum, ParseError> {
        if self.peek().kind != Kind::Word {
            return Ok(Datum::Bits(match self.number()? {
                Operand::Integer(bits) | Operand::Double(bits) => bits,
                Operand::Single(bits) => bits.into(),
                _ => return Err(self.wrong("expected an initial value")),
            }));
        }
        let generic = self.accept_word("generic");
        if generic {
            self.expect("(")?;
        }
        let symbol = self.word("a symbol")?.to_owned();
        if generic {
            self.expect(")")?;
        }
        let offset = if self.is_mark("+") || self.is_mark("-") { self.offset()? } else { 0 };
        Ok(Datum::Address { symbol, offset })
    }
}
