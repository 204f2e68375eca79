//! Vocabulary of the simulated world; every text is invented.

use super::rng::Rng;

/// A theme of items.
pub(super) struct Theme {
    /// Its keyword.
    pub(super) name: &'static str,
    /// Pugongying's first and second level of content tags.
    pub(super) taxonomy: (&'static str, &'static [&'static str]),
    /// Hashtags.
    pub(super) tags: &'static [&'static str],
    /// Subjects of titles.
    pub(super) things: &'static [&'static str],
}

/// The themes of the world.
pub(super) const THEMES: [Theme; 8] = [
    Theme {
        name: "美食",
        taxonomy: ("美食", &["美食教程", "美食探店", "家常菜"]),
        tags: &["美食日常", "一人食", "家常菜", "今天吃什么", "探店", "减脂餐", "早餐打卡"],
        things: &["番茄牛腩", "葱油拌面", "巷口小馆", "桂花酒酿", "砂锅粥", "手作青团"],
    },
    Theme {
        name: "露营",
        taxonomy: ("户外", &["露营", "徒步"]),
        tags: &["露营", "周末去哪儿", "山野露营", "户外装备", "看星星", "亲子露营"],
        things: &["湖边营地", "半山草甸", "天幕搭法", "轻量装备", "营地咖啡", "星空帐篷"],
    },
    Theme {
        name: "阅读",
        taxonomy: ("兴趣爱好", &["阅读", "手账"]),
        tags: &["阅读", "书单推荐", "读书笔记", "睡前读物", "图书馆", "好书分享"],
        things: &["旧书店", "睡前书单", "读书角", "一本小说", "图书馆的下午", "诗集"],
    },
    Theme {
        name: "旅行",
        taxonomy: ("出行", &["国内游", "旅行攻略"]),
        tags: &["旅行", "小众旅行地", "周末出逃", "古镇", "海边", "旅行攻略", "citywalk"],
        things: &["海岛三日", "江南小镇", "城市漫步", "绿皮火车", "老街早市", "沙漠日出"],
    },
    Theme {
        name: "穿搭",
        taxonomy: ("时尚", &["穿搭", "配饰"]),
        tags: &["每日穿搭", "通勤穿搭", "小个子穿搭", "春季穿搭", "梨形身材", "简约风"],
        things: &["通勤西装", "亚麻衬衫", "半身裙", "旧衣改造", "三色叠穿", "帆布包"],
    },
    Theme {
        name: "家居",
        taxonomy: ("家居家装", &["家居好物", "收纳"]),
        tags: &["租房改造", "收纳", "我的家", "阳台花园", "家居好物", "小户型"],
        things: &["小户型客厅", "阳台菜园", "玄关收纳", "租房改造", "窗边书桌", "厨房动线"],
    },
    Theme {
        name: "健身",
        taxonomy: ("运动健身", &["健身", "跑步"]),
        tags: &["健身", "晨跑", "居家运动", "拉伸", "马拉松", "自律打卡"],
        things: &["晨跑路线", "居家力量训练", "十分钟拉伸", "第一次半马", "骑行周末", "体态改善"],
    },
    Theme {
        name: "宠物",
        taxonomy: ("宠物", &["猫", "狗"]),
        tags: &["猫咪日常", "宠物", "养狗日记", "治愈系", "铲屎官", "小猫"],
        things: &["捡来的橘猫", "第一次洗澡", "猫的午觉", "遛狗日记", "猫抓板", "两只小狗"],
    },
];

const TITLES: [&str; 10] = [
    "被{}治愈的一天",
    "{}｜新手也能学会✨",
    "关于{}，我想说的都在这了",
    "谁懂啊！{}真的绝了🔥",
    "三年了，还是最爱{}",
    "{}保姆级攻略，先收藏📌",
    "花了一个周末研究{}",
    "别再问我{}了，一次讲清",
    "{}的100种打开方式❤️‍🔥",
    "慢下来，和{}在一起",
];

const SENTENCES: [&str; 12] = [
    "原来快乐可以这么简单。",
    "试了五次终于成功，步骤都写在图里啦～",
    "天气刚刚好，风也温柔🍃",
    "预算不高，但是满意度很高！",
    "有问题评论区见，看到都会回。",
    "先说结论：值得。",
    "第一次发，轻点喷😂",
    "愿我们都能按自己的节奏生活。",
    "个人感受，仅供参考哈。",
    "下次还想和朋友一起来👭",
    "图三是重点，记得放大看🔍",
    "写了整整两个小时，点个赞再走吧🙏",
];

const NAMES: [(&str, &str); 12] = [
    ("山茶", "不加糖"),
    ("阿柚", "的小日子"),
    ("北岛", "漫游记"),
    ("橘子", "汽水bot"),
    ("木木", "爱吃饭"),
    ("一只", "慢羊羊🐑"),
    ("小满", "今天早睡了吗"),
    ("陈皮", "手记"),
    ("晚风", "在路上"),
    ("豆豆", "studio"),
    ("云朵", "搬运工☁️"),
    ("老周", "的厨房"),
];

/// The provinces shown beside notes.
pub(super) const PLACES: [&str; 14] = [
    "上海", "浙江", "广东", "四川", "北京", "江苏", "安徽", "云南", "福建", "湖北", "陕西", "重庆",
    "日本", "美国",
];

/// Endings of a keyword's suggestions.
pub(super) const SUGGESTION_ENDINGS: [&str; 28] = [
    "推荐",
    "教程",
    "攻略",
    "文案",
    "图片",
    "视频",
    "附近",
    "合集",
    "新手",
    "必备清单",
    "拍照姿势",
    "好物",
    "周末",
    "排行榜",
    "小众",
    "文案高级",
    "朋友圈文案",
    "日常",
    "怎么选",
    "避雷",
    "学生党",
    "平价",
    "头像",
    "素材",
    "英文",
    "壁纸",
    "一个人",
    "大全",
];

/// Names of songs and their singers.
pub(super) const SONGS: [(&str, &str); 8] = [
    ("潮汐来信", "南屿"),
    ("慢慢走的夏天", "阿澈"),
    ("月亮不打烊", "Lunaria"),
    ("巷子里的风", "陈小北"),
    ("橘色黄昏", "午后乐队"),
    ("一千公里", "远山"),
    ("小步舞曲（剪辑版）", "盒子实验室"),
    ("雨天便利店", "苏打绿茶"),
];

/// A title about one of the theme's things.
pub(super) fn title(rng: &mut Rng, theme: &Theme) -> String {
    let thing = rng.pick(theme.things);
    rng.pick(&TITLES).replace("{}", thing)
}

/// `count` sentences.
pub(super) fn sentences(rng: &mut Rng, count: usize) -> String {
    let picked = rng.pick_some(&SENTENCES, count);
    picked.into_iter().copied().collect::<Vec<_>>().join("\n")
}

/// A nickname.
pub(super) fn nickname(rng: &mut Rng) -> String {
    let (first, second) = (rng.pick(&NAMES).0, rng.pick(&NAMES).1);
    format!("{first}{second}")
}

/// The theme that a keyword or filter contains, otherwise a random one.
pub(super) fn theme_of(rng: &mut Rng, text: &str) -> &'static Theme {
    let named = THEMES.iter().find(|theme| text.contains(theme.name));
    named.unwrap_or_else(|| rng.pick(&THEMES))
}
