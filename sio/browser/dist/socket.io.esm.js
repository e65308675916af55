// Sluice's Socket.IO client for browsers, minified (Apache-2.0). To read it: sio/browser/io.js in Sluice's source.
var f=class{#i=new Map;on(t,e){let s=this.#i.get(t);return s?s.push(e):this.#i.set(t,[e]),this}once(t,e){let s=(...i)=>{
this.off(t,s),e.apply(this,i)};return s.listener=e,this.on(t,s)}off(t,e){if(t===void 0)this.#i.clear();else if(e===void 0)
this.#i.delete(t);else{let s=this.listeners(t).filter(i=>i!==e&&i.listener!==e);this.#i.set(t,s)}return this}listeners(t){
return[...this.#i.get(t)??[]]}hasListeners(t){return this.listeners(t).length>0}_fire(t,...e){for(let s of this.listeners(
t))u(s,this,e)}};function u(r,t,e){try{r.apply(t,e)}catch(s){queueMicrotask(()=>{throw s})}}var c={OPEN:"0",CLOSE:"1",PING:"2",PONG:"3",MESSAGE:"4",UPGRADE:"5",NOOP:"6"},h={CONNECT:0,DISCONNECT:1,EVENT:2,ACK:3,CONNECT_ERROR:4},
O=3,I=10,k=new Set(["connect","connect_error","disconnect","disconnecting","newListener","removeListener"]);function T(r){
return typeof Blob<"u"&&r instanceof Blob}function L(r){return r instanceof ArrayBuffer||ArrayBuffer.isView(r)||T(r)}function x({
type:r,nsp:t,id:e="",data:s}){let i=[],o=JSON.stringify(s,function(m,R){let A=this[m];return L(A)?{_placeholder:!0,num:i.
push(A)-1}:R}),n=i.length?`${r+O}${i.length}-`:r,a=t==="/"?"":`${t},`;return[`${n}${a}${e}${o??""}`,...i]}var $=/^([0-6])(?:(\d+)-)?(?:(\/[^,]*),?)?(\d*)/;
function N(r){let t=$.exec(r);if(!t)throw new Error("unknown packet type");let[e,s,i,o="/",n]=t,a=s>h.CONNECT_ERROR,m=Number(
i??0);if(a!==m>0)throw new Error("illegal attachments");if(m>I)throw new Error("too many attachments");return{type:s-(a?
O:0),nsp:o,id:n?Number(n):void 0,attachments:m,json:r.slice(e.length)}}function C({type:r,json:t},e){let s=(o,n)=>{if(n?.
_placeholder!==!0)return n;let a=Number.isInteger(n.num)&&e[n.num];if(!a)throw new Error("illegal attachments");return a},
i=t?JSON.parse(t,e.length?s:void 0):void 0;if(!B(r,i))throw new Error("invalid payload");return i}function B(r,t){let e=typeof t==
"object"&&t!==null&&!Array.isArray(t);switch(r){case h.CONNECT:return e||t===void 0;case h.DISCONNECT:return t===void 0;case h.
EVENT:return Array.isArray(t)&&(typeof t[0]=="number"||typeof t[0]=="string"&&!k.has(t[0]));case h.ACK:return Array.isArray(
t);case h.CONNECT_ERROR:return e||typeof t=="string"}}var D=new TextEncoder;function g(r){return typeof r=="string"?D.encode(
r).length:r.byteLength??r.size}var S="";function l(r,t,e){return Object.assign(new Error(r),{type:"TransportError",description:t,context:e})}var w=class{name="\
polling";on={};bufferedAmount=0;#i;#t=new AbortController;#e=!1;#s=!1;#r;#n;constructor(t){this.#i=t}get writable(){return!this.#n&&
!this.#s&&!this.#e}open(){this.resume()}async pause(){this.#s=!0,await Promise.all([this.#r,this.#n])}resume(){this.#s=!1,
this.#r=this.#a()}take(t){let e=[],s=0;do s+=y(t[0])+1,e.push(t.shift());while(t.length&&s+y(t[0])<=this.#i.maxPayload);
this.bufferedAmount=s,this.#n=this.#o(e).finally(()=>{this.bufferedAmount=0,this.#n=void 0,this.on.drain?.()})}close(t){
if(this.#e)return;this.#e=!0,(t?this.#h("POST",c.CLOSE,{keepalive:!0}):Promise.resolve()).catch(()=>{}).finally(()=>this.#t.
abort())}async#a(){for(;!this.#e&&!this.#s;){let t;try{t=await(await this.#h("GET")).text()}catch(e){return this.#c("xhr\
 poll error",e)}for(let e of t.split(S)){if(this.#e)return;this.on.frame?.(e[0]==="b"?U(e.slice(1)):e),await null}}}async#o(t){
try{let e=t.map(async s=>typeof s=="string"?s:`b${await M(s)}`);await this.#h("POST",(await Promise.all(e)).join(S))}catch(e){
this.#c("xhr post error",e)}}async#h(t,e,s){let{withCredentials:i,extraHeaders:o}=this.#i.opts,n=await fetch(this.#i.url(
this.name),{method:t,body:e,cache:"no-store",credentials:i?"include":"same-origin",headers:{...o,...e&&{"Content-Type":"\
text/plain;charset=UTF-8"}},signal:this.#t.signal,...s});if(n.status===200)return n;throw Object.assign(new Error(`statu\
s ${n.status}`),{status:n.status,body:await n.text()})}#c(t,e){this.#e||(this.close(),this.on.close?.("transport error",
l(t,e.status??0,e.body??e)))}};function y(r){return typeof r=="string"?g(r):1+4*Math.ceil(g(r)/3)}async function M(r){T(
r)&&(r=await r.arrayBuffer());let t=ArrayBuffer.isView(r)?new Uint8Array(r.buffer,r.byteOffset,r.byteLength):new Uint8Array(
r);if(t.toBase64)return t.toBase64();let e=3*8192,s="";for(let i=0;i<t.length;i+=e)s+=btoa(String.fromCharCode(...t.subarray(
i,i+e)));return s}function U(r){return Uint8Array.fromBase64?Uint8Array.fromBase64(r).buffer:Uint8Array.from(atob(r),t=>t.
charCodeAt(0)).buffer}var b=class{name="websocket";on={};#i;#t;#e=!1;constructor(t){this.#i=t}get bufferedAmount(){return this.#t?.bufferedAmount??
0}get writable(){return this.#t?.readyState===1&&!this.#e}open(){let{WebSocket:t=globalThis.WebSocket,protocols:e=[]}=this.#i.
opts,s;try{s=new t(this.#i.url(this.name),e)}catch(i){return queueMicrotask(()=>this.#s("transport error",l("websocket e\
rror",i)))}s.binaryType="arraybuffer",s.onopen=()=>this.on.open?.(),s.onmessage=({data:i})=>!this.#e&&this.on.frame?.(i),
s.onerror=i=>this.#s("transport error",l("websocket error",i)),s.onclose=i=>this.#s("transport close",l("websocket conne\
ction closed",i)),this.#t=s}take(t){for(let e of t.splice(0))this.#t.send(e)}close(){this.#e=!0,this.#t?.close()}#s(t,e){
this.#e||(this.close(),this.on.close?.(t,e))}};var P={polling:w,websocket:b},j=64*1024,E=class extends f{transport;id;maxPayload=1/0;#i;#t="opening";#e=[];#s;#r=!1;#n;#a;constructor(t,e){
super(),this.#i=t,this.opts={transports:["polling","websocket"],upgrade:!0,...e},this.transport=this.#o(this.opts.transports[0]),
this.transport.on=this.#h(),this.transport.open(),globalThis.addEventListener?.("offline",this.#c)}get bufferedAmount(){
return this.#e.reduce((t,e)=>t+g(e),this.transport.bufferedAmount)}get writable(){return this.#t==="open"&&this.transport.
writable&&!this.#r&&this.bufferedAmount<j}write([t,...e]){this.#t==="open"&&(this.#e.push(c.MESSAGE+t,...e),this.#d())}close(){
this.#t==="opening"&&this.#f("forced close"),this.#t==="open"&&(this.#t="closing",this.#d())}url(t){let e=new URL(this.#i);
t==="websocket"&&(e.protocol=e.protocol.replace("http","ws"));let s={...this.opts.query,EIO:4,transport:t,...this.id&&{sid:this.
id}};for(let[i,o]of Object.entries(s))e.searchParams.set(i,o);return e.href}#o(t){if(!P[t])throw new Error(`unknown tran\
sport "${t}"`);return new P[t](this)}#h(){return{frame:t=>this.#w(t),drain:()=>this.#d(),close:(t,e)=>this.#f(t,e)}}#c=()=>this.#f(
"transport close",l("network connection lost"));#w(t){if(this.#l(),typeof t!="string")return this._fire("message",t);switch(t[0]){case c.
OPEN:return this.#y(t.slice(1));case c.CLOSE:return this.#f("transport close",l("transport closed by the server"));case c.
PING:return this.#e.unshift(c.PONG),this.#d(),this._fire("ping");case c.MESSAGE:return this._fire("message",t.slice(1));case c.
NOOP:return}this.#f("parse error",l("unknown packet",t))}#y(t){try{let{sid:e,upgrades:s,pingInterval:i,pingTimeout:o,maxPayload:n}=JSON.
parse(t);this.id=e,this.maxPayload=n??1/0,this.#n=i+o,this.#t="open",this.#l(),this.#u(s)&&this.#m()}catch(e){return this.#f(
"parse error",e)}this._fire("open")}#l(){this.#t!=="open"&&this.#t!=="closing"||(clearTimeout(this.#a),this.#a=setTimeout(
()=>this.#f("ping timeout"),this.#n))}#u(t){let{transports:e,upgrade:s}=this.opts;return s&&this.transport.name==="polli\
ng"&&t.includes("websocket")&&e.includes("websocket")}#m(){let t=this.#o("websocket");t.on={open:()=>t.take([`${c.PING}p\
robe`]),frame:e=>e===`${c.PONG}probe`?this.#p():this.#g(),close:()=>this.#g()},this.#s=t,t.open()}async#p(){let t=this.transport;
this.#r=!0,await t.pause(),!(!this.#s||this.#t==="closed")&&(this.transport=this.#s,this.transport.on=this.#h(),this.transport.
take([c.UPGRADE]),this.#s=void 0,this.#r=!1,this._fire("upgrade",this.transport),this.#d())}async#g(){this.#s?.close(),this.#s=
void 0,this.#r&&(await this.transport.pause(),this.transport.resume(),this.#r=!1),this.#d()}#d(){if(this.#t!=="open"&&this.#t!==
"closing"||this.#r||!this.transport.writable)return;let t=this.#e.splice(0,this.#b());t.length&&this.transport.take(t),this.#e.
unshift(...t),!(this.#e.length||!this.transport.writable)&&(this.#t==="closing"?this.#f("forced close"):this._fire("drai\
n"))}#b(){if(!this.#s)return this.#e.length;let t=this.#e.findIndex(s=>y(s)>this.maxPayload);if(t<0)return this.#e.length;
let e=this.#e.slice(0,t+1).findLastIndex(s=>typeof s=="string");return e<0?this.#e.length:e}#f(t,e){if(this.#t==="closed")
return;let s=this.#t==="closing";this.#t="closed",clearTimeout(this.#a),globalThis.removeEventListener?.("offline",this.#c),
this.#e.length=0,this.#s?.close(),this.transport.close(s),this._fire("close",t,e)}};var p=class extends f{connected=!1;recovered=!1;id;#i;#t=!1;#e=!1;#s=[];#r={};#n=new Map;#a=0;#o=[];#h=[];#c;#w;constructor(t,e,s={}){
super(),this.io=t,this.nsp=e,this.auth=s.auth,this.#i=s.ackTimeout}get disconnected(){return!this.connected}get active(){
return this.#t}get volatile(){return this.#r.volatile=!0,this}timeout(t){return this.#r.timeout=t,this}connect(){return this.
connected||this.#e?this:(this.#t=!0,this.io._connect(this),this)}open(){return this.connect()}disconnect(){return this.connected&&
this.#p({type:h.DISCONNECT}),this.#u("io client disconnect"),this}close(){return this.disconnect()}send(...t){return this.
emit("message",...t)}emit(t,...e){if(k.has(t))throw new Error(`"${t}" is a reserved event name`);let{volatile:s,timeout:i=this.#i}=this.#r;
this.#r={};let o=typeof e.at(-1)=="function"?e.pop():void 0,n={type:h.EVENT,data:[t,...e],id:o&&this.#b(o,i)};return s&&
!(this.connected&&this.io.engine.writable)?this:(this.connected?this.#g(n):this.#s.push(n),this)}emitWithAck(t,...e){return new Promise(
(s,i)=>{let o=(n,a)=>n?i(n):s(a);o.fails=!0,this.emit(t,...e,o)})}onAny(t){return this.#o=[...this.#o,t],this}offAny(t){
return this.#o=t?this.#o.filter(e=>e!==t):[],this}onAnyOutgoing(t){return this.#h=[...this.#h,t],this}offAnyOutgoing(t){
return this.#h=t?this.#h.filter(e=>e!==t):[],this}_opened(){this.#e=!0;let{engine:t}=this.io,e=s=>{t===this.io.engine&&this.#p(
{type:h.CONNECT,data:this.#c?{pid:this.#c,offset:this.#w,...s}:s})};typeof this.auth=="function"?this.auth(e):e(this.auth)}_failed(t){
this._fire("connect_error",t)}_closed(t,e){this.#e=!1,this.connected&&(this.connected=!1,this.id=void 0,this._fire("disc\
onnect",t,e),this.#k())}_receive({type:t,id:e,data:s}){switch(t){case h.CONNECT:return this.#y(s);case h.DISCONNECT:return this.#u(
"io server disconnect");case h.EVENT:return this.#m(e===void 0?s:[...s,this.#d(e)]);case h.ACK:return this.#E(e,s);case h.
CONNECT_ERROR:return this.#l(s)}}#y({sid:t,pid:e}={}){if(!t)return this.#l("the server speaks an older protocol (Socket.\
IO 2)");this.#e=!1,this.id=t,this.recovered=e!==void 0&&e===this.#c,this.#c=e,this.connected=!0;for(let s of this.#s.splice(
0))this.#g(s);this._fire("connect")}#l(t){let{message:e,data:s}=typeof t=="string"?{message:t}:t;this.#u(),this._fire("c\
onnect_error",Object.assign(new Error(e),{data:s}))}#u(t){this.#t=!1,this._closed(t),this.io._left()}#m(t){for(let e of this.#o)
u(e,this,t);this._fire(...t),this.#c&&typeof t.at(-1)=="string"&&(this.#w=t.at(-1))}#p(t){this.io._write(x({nsp:this.nsp,
...t}))}#g(t){for(let e of this.#h)u(e,this,t.data);this.#p(t)}#d(t){let e=!1;return(...s)=>{!e&&this.connected&&this.#p(
{type:h.ACK,id:t,data:s}),e=!0}}#b(t,e){let s=this.#a++,i={done:t,fails:t.fails};return e!==void 0&&(i.fails=!0,i.timer=
setTimeout(()=>this.#f(s,t),e)),this.#n.set(s,i),s}#f(t,e){this.#n.delete(t),this.#s=this.#s.filter(s=>s.id!==t),u(e,this,
[new Error("operation has timed out")])}#E(t,e){let s=this.#n.get(t);s&&(this.#n.delete(t),clearTimeout(s.timer),u(s.done,
this,s.fails?[null,...e]:e))}#k(){let t=new Set(this.#s.map(e=>e.id));for(let[e,{done:s,fails:i,timer:o}]of this.#n)t.has(
e)||(this.#n.delete(e),clearTimeout(o),i&&u(s,this,[new Error("socket has been disconnected")]))}};var G={path:"/socket.io/",autoConnect:!0,timeout:2e4,reconnection:!0,reconnectionAttempts:1/0,reconnectionDelay:1e3,reconnectionDelayMax:5e3,
randomizationFactor:.5},d=class extends f{engine;#i;#t="closed";#e=new Map;#s;#r=0;#n=!1;#a;constructor(t,e={}){super();
let s=Object.entries(e).filter(([,o])=>o!==void 0);this.opts={...G,...Object.fromEntries(s)};let i=this.opts.addTrailingSlash===
!1?"":"/";this.#i=new URL(this.opts.path.replace(/\/*$/,i),t??globalThis.location?.origin)}socket(t,e){let s=this.#e.get(
t);return s||(s=new p(this,t,e??this.opts),this.#e.set(t,s)),this.opts.autoConnect&&s.connect(),s}has(t){return this.#e.
has(t)}open(t){if(this.#t!=="closed")return this;this.#t="opening";let e=this.engine=new E(this.#i,this.opts),s=i=>{clearTimeout(
this.#a),e.off(),i?this.#c(i,t):this.#h(e,t)};return e.on("open",()=>s()),e.on("close",(i,o)=>s(o??new Error(i))),this.opts.
timeout!==!1&&(this.#a=setTimeout(()=>{e.off().close(),s(new Error("timeout"))},this.opts.timeout)),this}connect(t){return this.
open(t)}disconnect(){this.#n=!1,this.#u("forced close")}_connect(t){this.#t==="open"?t._opened():this.#n||this.open()}_left(){
this.#o.length||this.disconnect()}_write(t){this.engine.write(t)}get#o(){return[...this.#e.values()].filter(t=>t.active)}#h(t,e){
this.#t="open",t.on("message",s=>this.#w(s)),t.on("ping",()=>this._fire("ping")),t.on("close",(s,i)=>this.#l(s,i)),this.
_fire("open");for(let s of this.#o)s._opened();e?.()}#c(t,e){this.#t="closed",this._fire("error",t);for(let s of this.#o)
s._failed(t);e?e(t):this.#m()}#w(t){let e;try{e=this.#y(t)}catch(i){return this.#l("parse error",i)}let s=e&&this.#e.get(
e.nsp);s?.active&&s._receive(e)}#y(t){if(typeof t=="string"){if(this.#s)throw new Error("text came instead of an attachm\
ent");this.#s={...N(t),parts:[]}}else{if(!this.#s)throw new Error("an attachment came without its text");this.#s.parts.push(
t)}let e=this.#s;if(!(e.parts.length<e.attachments))return this.#s=void 0,{...e,data:C(e,e.parts)}}#l(t,e){this.#u(t,e),
this.#m()}#u(t,e){if(clearTimeout(this.#a),this.#r=0,this.#s=void 0,this.#t!=="closed"){this.#t="closed",this.engine.off().
close(),this._fire("close",t,e);for(let s of this.#e.values())s._closed(t,e)}}#m(){if(!(!this.opts.reconnection||this.#n||
this.#t!=="closed"||!this.#o.length)){if(this.#r>=this.opts.reconnectionAttempts){this.#r=0,this._fire("reconnect_failed");
return}this.#n=!0,this.#a=setTimeout(()=>this.#g(),this.#p())}}#p(){let{reconnectionDelay:t,reconnectionDelayMax:e,randomizationFactor:s}=this.
opts,i=1+s*(2*Math.random()-1);return Math.min(t*2**this.#r++*i,e)}#g(){this._fire("reconnect_attempt",this.#r),this.#n&&
this.open(t=>{if(this.#n=!1,t){this._fire("reconnect_error",t),this.#m();return}let e=this.#r;this.#r=0,this._fire("reco\
nnect",e)})}};var v=new Map;function _(r,t={}){typeof r=="object"&&([r,t]=[void 0,r]);let e=V(r??"/");e.search&&(t={query:Object.fromEntries(
e.searchParams),...t});let s=e.pathname,i=`${e.origin}${t.path??""}`,o=v.get(i);if(t.forceNew||t.multiplex===!1||o?.has(
s))return new d(e.origin,t).socket(s,t);let n=o??new d(e.origin,t);return v.set(i,n),n.socket(s,t)}function V(r){let t=globalThis.
location?.protocol??"https:",e=r.replace(/^ws(?=s?:\/\/)/,"http");return e.startsWith("//")?e=t+e:/^(\/|https?:\/\/)/.test(
e)||(e=`${t}//${e}`),new URL(e,globalThis.location?.origin)}var z=5;Object.assign(_,{io:_,connect:_,Manager:d,Socket:p,protocol:z});export{f as Emitter,d as Manager,p as Socket,_ as connect,_ as default,_ as io,z as protocol};
